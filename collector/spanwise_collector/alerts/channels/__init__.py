"""Where notifications go: signed webhook, Slack, PagerDuty, e-mail, and what apprise knows."""
