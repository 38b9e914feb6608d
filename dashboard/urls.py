"""The pages. Below /dashboard/ are fragments and data of these pages, not meant for programs."""

from django.urls import path

from common.routing import route
from dashboard.views import (
    account,
    alerts,
    auth,
    backtests,
    bots,
    market,
    overview,
    registration,
    sessions,
    strategies,
)

app_name = "dashboard"

BOT = "bots/<uuid:bot_id>"
SESSION = f"{BOT}/sessions/<uuid:session_id>"

urlpatterns = [
    *route("login", auth.SignIn.as_view(), name="login"),
    *route("logout", auth.SignOut.as_view(), name="logout"),
    *route("register", registration.register, name="register"),
    path("", overview.home, name="home"),
    *route("bots/new", bots.new_bot, name="bot-new"),
    *route(BOT, bots.bot_page, name="bot"),
    path(f"{BOT}/sessions.csv", bots.sessions_csv, name="bot-sessions-csv"),
    *route(f"{BOT}/edit", bots.edit_bot, name="bot-edit"),
    *route(f"{BOT}/start", bots.start_bot, name="bot-start"),
    *route(f"{BOT}/archive", bots.archive_bot, name="bot-archive"),
    *route(SESSION, sessions.session_page, name="session"),
    *route(f"{SESSION}/stop", sessions.stop_session, name="session-stop"),
    *route(f"{SESSION}/cancel-orders", sessions.cancel_orders, name="session-cancel"),
    *route("strategies", strategies.strategy_list, name="strategies"),
    *route("strategies/new", strategies.new_strategy, name="strategy-new"),
    *route("strategies/<uuid:strategy_id>", strategies.strategy_page, name="strategy"),
    *route("strategies/<uuid:strategy_id>/clone", strategies.clone_strategy, name="strategy-clone"),
    *route(
        "strategies/<uuid:strategy_id>/edit", strategies.update_strategy, name="strategy-update"
    ),
    *route(
        "strategies/<uuid:strategy_id>/delete", strategies.delete_strategy, name="strategy-delete"
    ),
    *route(
        "strategies/<uuid:strategy_id>/backtests", backtests.start_backtest, name="backtest-start"
    ),
    *route("backtests/<uuid:backtest_id>/cancel", backtests.cancel, name="backtest-cancel"),
    path("backtests/<uuid:backtest_id>.csv", backtests.days_csv, name="backtest-csv"),
    *route("market", market.market, name="market"),
    *route("account", account.account, name="account"),
    *route("account/tokens", account.create_token, name="token-create"),
    *route("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="token-revoke"),
    *route("account/alerts", alerts.alerts, name="alerts"),
    *route("account/alerts/<uuid:channel_id>/remove", alerts.remove, name="alert-remove"),
    *route("account/alerts/<uuid:channel_id>/test", alerts.send_test, name="alert-test"),
    *route("account/alerts/log/<uuid:delivery_id>/again", alerts.try_again, name="alert-again"),
    path("dashboard/overview", overview.rows, name="overview-rows"),
    path("dashboard/strategy-preview", strategies.preview, name="strategy-preview"),
    path("dashboard/backtests/<uuid:backtest_id>", backtests.report, name="backtest-report"),
    path("dashboard/backtests/<uuid:backtest_id>/equity", backtests.equity, name="backtest-equity"),
    path("dashboard/market-strip", overview.strip, name="market-strip"),
    path("dashboard/market", market.market_body, name="market-body"),
    path(f"dashboard/{BOT}/equity", bots.equity, name="bot-equity"),
    path(f"dashboard/{SESSION}/line", sessions.line, name="session-line"),
    path(f"dashboard/{SESSION}/spot", sessions.spot, name="session-spot"),
    path(f"dashboard/{SESSION}/marks", sessions.marks, name="session-marks"),
    path(f"dashboard/{SESSION}/head", sessions.session_head, name="session-head"),
    path(f"dashboard/{SESSION}/book", sessions.session_book, name="session-book"),
    path(f"dashboard/{SESSION}/log", sessions.session_log, name="session-log"),
]
