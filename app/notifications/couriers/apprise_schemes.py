"""Which services are spoken to through Apprise, by the schemes of its addresses. Pure: Apprise itself is not loaded.

Every one of them is reached by HTTP alone. What Apprise can do besides (mail, syslog, desktops, raw sockets, files, web
addresses of any kind) is left out: tests look into the library for it.
"""

from collections.abc import Mapping
from types import MappingProxyType

SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "bulksms": "BulkSMS",
        "chanify": "Chanify",
        "clickatell": "Clickatell",
        "clicksend": "ClickSend",
        "dingtalk": "DingTalk",
        "feishu": "Feishu",
        "flock": "Flock",
        "gchat": "Google Chat",
        "gotify": "Gotify",
        "gotifys": "Gotify",
        "hassio": "Home Assistant",
        "hassios": "Home Assistant",
        "ifttt": "IFTTT",
        "join": "Join",
        "lark": "Lark",
        "line": "LINE",
        "mailgun": "Mailgun",
        "mmost": "Mattermost",
        "mmosts": "Mattermost",
        "msgbird": "MessageBird",
        "nctalk": "Nextcloud Talk",
        "nctalks": "Nextcloud Talk",
        "ntfy": "ntfy",
        "ntfys": "ntfy",
        "onesignal": "OneSignal",
        "opsgenie": "Opsgenie",
        "pagerduty": "PagerDuty",
        "pbul": "Pushbullet",
        "prowl": "Prowl",
        "pushed": "Pushed",
        "resend": "Resend",
        "revolt": "Revolt",
        "rocket": "Rocket.Chat",
        "rockets": "Rocket.Chat",
        "ryver": "Ryver",
        "sendgrid": "SendGrid",
        "signal": "Signal (REST API)",
        "signals": "Signal (REST API)",
        "signl4": "SIGNL4",
        "slack": "Slack",
        "spike": "Spike.sh",
        "splunk": "Splunk On-Call",
        "synology": "Synology Chat",
        "synologys": "Synology Chat",
        "twilio": "Twilio",
        "vonage": "Vonage",
        "wecombot": "WeCom",
        "whatsapp": "WhatsApp Business",
        "workflows": "Microsoft Teams",
        "wxteams": "Webex",
        "zulip": "Zulip",
    }
)
