"""Slack: `app` listens, `translate` turns words both ways (pure), `surface` speaks, `home` is the App Home."""
