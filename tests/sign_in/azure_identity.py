"""The libraries that everybody else signs in with, against the emulator and against what iefctl sends.

Reads what to do as JSON from standard input, writes what came of it to standard output. Ends with 77
where the libraries are not installed."""
import base64
import hashlib
import json
import sys
import urllib.parse
import urllib.request

try:
    import jwt
    import msal.authority
    from azure.core.pipeline.transport import RequestsTransport
    from azure.identity import (
        CertificateCredential,
        ClientAssertionCredential,
        ClientSecretCredential,
        DeviceCodeCredential,
    )
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)


# The libraries want https, which the emulator of a test does not have: they are told that they have it.
strict = msal.authority.canonicalize
for module in [module for name, module in sys.modules.items() if name.startswith("msal")]:
    if getattr(module, "canonicalize", None) is strict:
        module.canonicalize = lambda url: strict(url.replace("http://127.", "https://127."))


class Plain(RequestsTransport):
    """Does without TLS."""

    def send(self, request, **kwargs):
        request.url = request.url.replace("https://127.0.0.1", "http://127.0.0.1")
        return super().send(request, **kwargs)


def outcome(make):
    """The claims of the token that a credential gets, or the error number."""
    try:
        credential = make(
            authority=given["emulator"].replace("http://", "https://"),
            transport=Plain(),
            disable_instance_discovery=True,
        )
        token = credential.get_token("https://graph.microsoft.com/.default").token
        return jwt.decode(token, options={"verify_signature": False})
    except Exception as error:  # whatever it is, it is the result
        text = str(error)
        at = text.find("AADSTS")
        return text[at:].split(":")[0] if at >= 0 else f"{type(error).__name__}: {text}"


def confirm(verification_uri, user_code, expires_on):
    form = urllib.parse.urlencode({"code": user_code, "decision": "confirm"}).encode()
    url = verification_uri.replace("https://", "http://")
    urllib.request.urlopen(url, form).read()


def verified(assertion):
    """Everything that can be checked of an assertion of iefctl."""
    certificate = x509.load_pem_x509_certificate(given["certificate"].encode())
    header = jwt.get_unverified_header(assertion)
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    claims = jwt.decode(
        assertion,
        certificate.public_key(),
        algorithms=["PS256"],
        audience=given["audience"],
        issuer=given["client"],
        options={"require": ["exp", "iat", "nbf", "aud", "iss", "sub", "jti"]},
    )
    thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {
        "type": header["typ"],
        "thumbprint": header["x5t#S256"] == thumbprint,
        "subject": claims["sub"],
        "lifetime": claims["exp"] - claims["nbf"],
        "id": claims["jti"],
    }


given = json.load(sys.stdin)
application = {"tenant_id": given["tenant"], "client_id": given["client"]}
pem = {"certificate_data": given["pem"].encode()}
result = {
    "certificate": outcome(lambda **more: CertificateCredential(**application, **pem, **more)),
    "stranger": outcome(
        lambda **more: CertificateCredential(
            **application, certificate_data=given["stranger"].encode(), **more
        )
    ),
    "secret": outcome(
        lambda **more: ClientSecretCredential(**application, client_secret=given["secret"], **more)
    ),
    "wrong secret": outcome(
        lambda **more: ClientSecretCredential(**application, client_secret="wrong", **more)
    ),
    "federated": outcome(
        lambda **more: ClientAssertionCredential(**application, func=lambda: given["federated"], **more)
    ),
    "foreign": outcome(
        lambda **more: ClientAssertionCredential(**application, func=lambda: given["foreign"], **more)
    ),
    "device code": outcome(
        lambda **more: DeviceCodeCredential(
            tenant_id=given["tenant"],
            client_id=given["public client"],
            prompt_callback=confirm,
            **more,
        )
    ),
    "assertions": [verified(assertion) for assertion in given["assertions"]],
}
json.dump(result, sys.stdout)
