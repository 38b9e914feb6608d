"""A bot's own page, its settings, and what can be done to it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from bots import inputs, queries, services
from bots.models import Bot
from common.errors import Refusal
from dashboard import charts, exports
from dashboard.access import UserRequest, page
from dashboard.forms import bot as bot_forms
from dashboard.reads.heatmap import heatmap
from dashboard.reads.market import market_strip
from marketdata import queries as market
from sessions import services as session_services
from strategies import queries as strategies


@page()
def bot_page(request: UserRequest, bot_id: UUID) -> HttpResponse:
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    view = queries.view(bot)
    summary = queries.summary(bot)
    context = {
        "section": "overview",
        "bot": bot,
        "view": view,
        "policy_groups": bot_forms.policy_groups(bot.policy),
        "warnings": queries.warnings(bot),
        "next_start_at": queries.next_start_at(view, market.market_now()),
        "summary": summary,
        "heatmap": heatmap([point.day for point in summary.sparkline]),
        "sessions": queries.recent_sessions(bot),
    }
    return render(request, "dashboard/bot.html", context)


@page()
def equity(request: UserRequest, bot_id: UUID) -> JsonResponse:
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    return JsonResponse(charts.equity_line(queries.summary(bot)))


@page()
def sessions_csv(request: UserRequest, bot_id: UUID) -> HttpResponse:
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    text = exports.sessions_csv(queries.all_sessions(bot).iterator())
    headers = {"Content-Disposition": f'attachment; filename="sessions-{bot.pk}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@page("GET", "POST")
def new_bot(request: UserRequest) -> HttpResponse:
    links = strategies.links_of(request.user).order_by("-created_at", "-pk")
    if request.method != "POST":
        values = bot_forms.new_values(request.GET.get("strategy", ""))
        form = bot_forms.bot_form(values, links=links)
        return render(request, "dashboard/bot_new.html", _new_context(form, links))
    values = bot_forms.sent_values(request.POST)
    try:
        body = bot_forms.body_of(values, is_new=True)
        wanted = inputs.read_body(inputs.CreateBotInput, body)
        bot = services.create_bot(owner=request.user, now=timezone.now(), **wanted)
    except Refusal as refusal:
        form = bot_forms.bot_form(values, refusal, links)
        context = _new_context(form, links)
        return render(request, "dashboard/bot_new.html", context, status=refusal.status)
    messages.success(request, f"{bot.name} is ready. Start its session while the market is open.")
    return redirect("dashboard:bot", bot_id=bot.pk)


@page("GET", "POST")
def edit_bot(request: UserRequest, bot_id: UUID) -> HttpResponse:
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    if request.method != "POST":
        form = bot_forms.bot_form(bot_forms.values_of(bot))
        return render(request, "dashboard/bot_edit.html", _edit_context(bot, form))
    values = bot_forms.sent_values(request.POST)
    try:
        body = bot_forms.body_of(values, is_new=False)
        changes = inputs.read_body(inputs.UpdateBotInput, body)
        services.update_bot(bot=bot, changes=changes, now=timezone.now())
    except Refusal as refusal:
        context = _edit_context(bot, bot_forms.bot_form(values, refusal))
        return render(request, "dashboard/bot_edit.html", context, status=refusal.status)
    messages.success(request, f"Saved. {bot_forms.NEXT_SESSION}")
    return redirect("dashboard:bot", bot_id=bot.pk)


@page("GET", "POST")
def start_bot(request: UserRequest, bot_id: UUID) -> HttpResponse:
    """Ask first, then start today's session."""
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    context = {"section": "overview", "bot": bot, "market": market_strip()}
    if request.method != "POST":
        return render(request, "dashboard/bot_start.html", context)
    try:
        session = session_services.start_session(user=request.user, bot_id=bot.pk)
    except Refusal as refusal:
        context["problem"] = refusal.message
        return render(request, "dashboard/bot_start.html", context, status=refusal.status)
    messages.success(request, f"{bot.name} is starting.")
    return redirect("dashboard:session", bot_id=bot.pk, session_id=session.pk)


@page("GET", "POST")
def archive_bot(request: UserRequest, bot_id: UUID) -> HttpResponse:
    """Ask first, then archive; an archived bot comes back the same way."""
    bot = queries.bot_of(owner=request.user, bot_id=bot_id)
    is_archived = bot.status == Bot.Status.ARCHIVED
    context = {"section": "overview", "bot": bot, "is_archived": is_archived}
    if request.method != "POST":
        return render(request, "dashboard/bot_archive.html", context)
    wanted = Bot.Status.IDLE if is_archived else Bot.Status.ARCHIVED
    try:
        services.update_bot(bot=bot, changes={"status": wanted.value}, now=timezone.now())
    except Refusal as refusal:
        context["problem"] = refusal.message
        return render(request, "dashboard/bot_archive.html", context, status=refusal.status)
    messages.success(request, f"{bot.name} is {'back' if is_archived else 'archived'}.")
    return redirect("dashboard:home")


def _new_context(form: bot_forms.Form, links: object) -> dict[str, object]:
    return {"section": "overview", "form": form, "links": links}


def _edit_context(bot: Bot, form: bot_forms.Form) -> dict[str, object]:
    return {"section": "overview", "bot": bot, "form": form, "note": bot_forms.NEXT_SESSION}
