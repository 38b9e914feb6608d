"""At the root of the site: what probes and language models look for."""

from django.urls import path

from common.discovery import Health, Ready, llms_txt
from common.routing import route

urlpatterns = [
    *route("health", Health.as_view()),
    *route("ready", Ready.as_view()),
    path("llms.txt", llms_txt, name="llms"),
]
