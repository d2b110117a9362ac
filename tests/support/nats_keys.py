"""Makes keys and credentials of NATS, and configurations of servers for them.

usage: nats_keys.py FOLDER

What nsc and nk would write, by openssl's ed25519 alone:
  alice.seed, bob.seed  nkeys of two users; alice.public has her public key
  alice.creds           alice as a user of an account of the operator's
  mallory.creds         the same of an operator that nobody trusts
  nkey.conf             a server that knows alice by her nkey
  operator.conf         a server that trusts the operator
"""

import base64
import binascii
import json
import pathlib
import subprocess
import sys
import time

USER, ACCOUNT, OPERATOR, SEED = 20 << 3, 0, 14 << 3, 18 << 3


def encoded(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def url64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def openssl(*words: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=given, check=True,
                          capture_output=True).stdout


class Key:
    def __init__(self, folder: pathlib.Path, name: str, kind: int):
        self._file = folder / f"{name}.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", str(self._file))
        # Both ends of their DER forms are the 32 bytes themselves.
        private = openssl("pkey", "-in", str(self._file), "-outform", "DER")[-32:]
        public = openssl("pkey", "-in", str(self._file), "-pubout", "-outform", "DER")[-32:]
        self.seed = encoded(bytes([SEED | kind >> 5, (kind & 31) << 3]) + private)
        self.public = encoded(bytes([kind]) + public)

    def token(self, subject: str, name: str, nats: dict) -> str:
        """A JWT of `subject`, signed by this key."""
        claims = {"jti": name, "iat": int(time.time()), "iss": self.public,
                  "name": name, "sub": subject, "nats": {**nats, "version": 2}}
        text = ".".join(url64(json.dumps(part).encode()) for part in
                        ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        message = self._file.with_suffix(".message")
        message.write_text(text)
        signature = openssl("pkeyutl", "-sign", "-inkey", str(self._file),
                            "-rawin", "-in", str(message))
        return f"{text}.{url64(signature)}"


def credentials(folder: pathlib.Path, name: str, user: Key):
    """Of a new operator's account; the configuration that trusts it."""
    operator = Key(folder, f"{name}-operator", OPERATOR)
    account = Key(folder, f"{name}-account", ACCOUNT)
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1,
              "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    token = account.token(user.public, name, {
        "type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1})
    (folder / f"{name}.creds").write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n"
        f"------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n"
        f"------END USER NKEY SEED------\n")

    def of(key: Key) -> str:
        token = operator.token(key.public, "account", {
            "type": "account", "limits": limits,
            "default_permissions": {"pub": {}, "sub": {}}})
        return f"{key.public}: {token}"

    return (f"operator: {operator.token(operator.public, 'operator', {'type': 'operator'})}\n"
            f"system_account: {system.public}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {of(account)}, {of(system)} }}\n")


folder = pathlib.Path(sys.argv[1])
alice = Key(folder, "alice", USER)
bob = Key(folder, "bob", USER)
for user, name in ((alice, "alice"), (bob, "bob")):
    (folder / f"{name}.seed").write_text(user.seed)
    (folder / f"{name}.public").write_text(user.public)
system = Key(folder, "system", ACCOUNT)
(folder / "operator.conf").write_text(credentials(folder, "alice", alice))
credentials(folder, "mallory", bob)
(folder / "nkey.conf").write_text(
    f"authorization: {{ users: [ {{ nkey: {alice.public} }} ] }}\n")
