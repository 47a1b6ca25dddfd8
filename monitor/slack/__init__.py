"""Orders from Slack: slash commands and buttons over Socket Mode. Imported only where ``commands`` are configured."""
