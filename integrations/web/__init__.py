"""The lobby: Understudy's own web page, and the routes behind it. No build step, no third-party request."""
