"""The rules, one topic a file: its orders, receipts and events, and what decides. Pure.

A topic's file in `bot/commands/` of the matching name speaks for it. `ORDERS` and `RECEIPTS` list everything that
the store has to write down and read back.
"""

from economy.ledger import Connected, Disconnected, Undone
from economy.rules.adjusting import Adjust, Adjusted
from economy.rules.chest import ChestTipped, TipFromChest
from economy.rules.claiming import Return, TakeUp, TipsTaken, TipUnseen, TipWaits
from economy.rules.communities import (
    AdmitPlace,
    InvitePlace,
    JoinPlace,
    PartPlace,
    PlaceInvited,
    PlaceJoined,
    PlaceParted,
)
from economy.rules.configuring import (
    Appoint,
    Appointed,
    ChangeSetting,
    FeatureTurned,
    SettingChanged,
    TurnFeature,
)
from economy.rules.connecting import (
    Agree,
    CodeGiven,
    Confirm,
    Connect,
    ConnectionAgreed,
    ConnectionAsked,
    Depart,
    Disconnect,
    DisconnectionAsked,
    EnterCode,
    Separate,
    Succeed,
)
from economy.rules.creating import (
    BeCreator,
    CreatorChanged,
    DescribeCreator,
    GiftsTurned,
    JudgeCreator,
    ProfileChanged,
    TurnGifts,
)
from economy.rules.earning import ClaimDaily, DailyClaimed, Welcome, Welcomed
from economy.rules.gifting import CatalogueChanged, ChangeGift, Gifted, SendGift
from economy.rules.offers import Press
from economy.rules.places import ChannelSet, MapRole, RoleMapped, TellIn, UseChannel
from economy.rules.presence import Hide, Join, Joined, Leave, Left, Visibility
from economy.rules.reacting import ReactionShort, ReactionsTurned, TipByReaction, TurnReactions
from economy.rules.safety import Block, Blocked, Freeze, FreezeAll, Frozen
from economy.rules.tipping import Tip, Tipped
from economy.rules.undoing import Undo, UndoSince
from economy.rules.words import ListWord, RemoveText, TextRemoved, WordListed

OfferedOrder = (
    Tip
    | TipUnseen
    | TakeUp
    | Return
    | TipByReaction
    | TurnReactions
    | SendGift
    | ChangeGift
    | Undo
    | UndoSince
    | Adjust
    | TipFromChest
    | ClaimDaily
    | Welcome
    | Join
    | Leave
    | Hide
    | Block
    | Freeze
    | FreezeAll
    | BeCreator
    | JudgeCreator
    | DescribeCreator
    | TurnGifts
    | ChangeSetting
    | TurnFeature
    | Appoint
    | MapRole
    | UseChannel
    | TellIn
    | InvitePlace
    | AdmitPlace
    | JoinPlace
    | PartPlace
    | ListWord
    | RemoveText
    | Connect
    | EnterCode
    | Agree
    | Confirm
    | Succeed
    | Disconnect
    | Depart
    | Separate
)
"""Every order that can stand in an offer: all but `Press` itself."""

ORDERS: tuple[type, ...] = (*OfferedOrder.__args__, Press)
StoredReceipt = (
    Tipped
    | TipWaits
    | TipsTaken
    | ReactionsTurned
    | ReactionShort
    | Gifted
    | CatalogueChanged
    | Undone
    | Adjusted
    | ChestTipped
    | DailyClaimed
    | Welcomed
    | Joined
    | Left
    | Visibility
    | Blocked
    | Frozen
    | CreatorChanged
    | ProfileChanged
    | GiftsTurned
    | SettingChanged
    | FeatureTurned
    | Appointed
    | RoleMapped
    | ChannelSet
    | PlaceInvited
    | PlaceJoined
    | PlaceParted
    | WordListed
    | TextRemoved
    | CodeGiven
    | ConnectionAsked
    | ConnectionAgreed
    | Connected
    | DisconnectionAsked
    | Disconnected
)
"""Every receipt that the store keeps."""

RECEIPTS: tuple[type, ...] = StoredReceipt.__args__
