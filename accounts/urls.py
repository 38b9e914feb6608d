from accounts.api import Me, Registration, TokenDetail, TokenList, Tokens, VerifyEmail
from common.routing import route

urlpatterns = [
    *route("auth/verify-email", VerifyEmail.as_view(), name="verify-email"),
    *route("auth/register", Registration.as_view(), name="register"),
    *route("auth/sessions", Tokens.as_view(), name="tokens"),
    *route("auth/tokens", TokenList.as_view(), name="token-list"),
    *route("auth/tokens/<uuid:token_id>", TokenDetail.as_view(), name="token"),
    *route("user", Me.as_view(), name="user"),
]
