"""Discord: slash commands made from the command specs, buttons, forms and menus, and commands by mention."""
