"""Settings of the admin site's theme: its title and the operators' way around."""

from typing import Any

from django.urls import reverse_lazy


def _item(title: str, icon: str, name: str, permission: str = "") -> dict[str, Any]:
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}")}
    if permission:
        item["permission"] = lambda request: request.user.has_perm(permission)
    return item


UNFOLD = {
    "SITE_TITLE": "Zerohour operations",
    "SITE_HEADER": "Zerohour operations",
    "SITE_SYMBOL": "schedule",
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Now",
                "items": [
                    _item("Health", "monitor_heart", "health", "bot_sessions.view_botsession"),
                    _item(
                        "Sessions",
                        "candlestick_chart",
                        "bot_sessions_botsession_changelist",
                        "bot_sessions.view_botsession",
                    ),
                    {
                        **_item(
                            "Kill switch",
                            "emergency_home",
                            "bot_sessions_tradinghalt_changelist",
                            "bot_sessions.view_tradinghalt",
                        ),
                        # The health page stands below it, and is another item.
                        "active": lambda request: request.path.endswith(
                            ("/tradinghalt/", "/halt/", "/lift/")
                        ),
                    },
                    _item(
                        "Market clock",
                        "av_timer",
                        "marketdata_marketcontrol_changelist",
                        "marketdata.view_marketcontrol",
                    ),
                    _item("Jobs", "task_alt", "common_job_changelist", "common.view_job"),
                ],
            },
            {
                "title": "Records",
                "collapsible": True,
                "items": [
                    _item(
                        "Days",
                        "calendar_month",
                        "bot_sessions_dayrollup_changelist",
                        "bot_sessions.view_dayrollup",
                    ),
                    _item(
                        "Market days",
                        "event",
                        "marketdata_marketday_changelist",
                        "marketdata.view_marketday",
                    ),
                    _item(
                        "Orders",
                        "list_alt",
                        "bot_sessions_order_changelist",
                        "bot_sessions.view_order",
                    ),
                    _item(
                        "Transactions",
                        "receipt_long",
                        "bot_sessions_transaction_changelist",
                        "bot_sessions.view_transaction",
                    ),
                    _item(
                        "Balance adjustments",
                        "balance",
                        "bots_balanceadjustment_changelist",
                        "bots.view_balanceadjustment",
                    ),
                    _item(
                        "Backtests",
                        "fact_check",
                        "backtests_backtest_changelist",
                        "backtests.view_backtest",
                    ),
                    _item("Changes", "history", "admin_logentry_changelist", "admin.view_logentry"),
                ],
            },
            {
                "title": "Accounts",
                "collapsible": True,
                "items": [
                    _item("Users", "group", "accounts_user_changelist", "accounts.view_user"),
                    _item("Bots", "smart_toy", "bots_bot_changelist", "bots.view_bot"),
                    _item(
                        "Saved strategies",
                        "bookmark",
                        "strategies_strategylink_changelist",
                        "strategies.view_strategylink",
                    ),
                ],
            },
        ],
    },
}
