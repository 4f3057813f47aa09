"""Web configs for tests: hashes with their passwords, certificates, clients."""

import base64
import os
import subprocess

import harness

# Passwords and their hashes; the fast ones have bcrypt's least cost, 4.
FAST = {
    "alice": ("sesame", "$2b$04$ABCDEFGHIJKLMNOPQRSTUu3eYK498clEFkylpAzy5Q8ZAuO7kcru2"),
    "bob": ("p:\u00e4:s", "$2a$04$ABCDEFGHIJKLMNOPQRSTUuGyNmS5.n9SFAkIt6uOt4cWS2vC3UZUa"),
}
SECOND = ("second", "$2b$04$ABCDEFGHIJKLMNOPQRSTUued3MfNdPluLCWnUKG8gk1ighgIwOBGO")
# Cost 13: half a second for each check.
SLOW = ("slowpass", "$2y$13$abcdefghijklmnopqrstuuMDpZjQNe11h4Zz68j0RCxa6zSnNY.Ei")


def users(**hashes):
    """basic_auth_users of names and hashes."""
    return "basic_auth_users:\n" + "".join(
        f"  {name}: {value}\n" for name, value in hashes.items())


def fast_users():
    return users(**{name: value for name, (_, value) in FAST.items()})


def basic(name, password):
    """Header fields of a request that logs in."""
    text = f"{name}:{password}".encode()
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


class ConfigFile:
    """with ConfigFile(text) as f: … f.path, f.rewrite(text), f.replace(text)"""

    def __init__(self, text):
        self.directory = harness.temp_dir()
        self.path = os.path.join(self.directory, "web.yml")
        self.rewrite(text)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        subprocess.run(["rm", "-rf", self.directory], check=True)

    def rewrite(self, text):
        """In place: truncate, write, close."""
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)

    def replace(self, text):
        """Renamed over."""
        harness.write_atomically(self.path, text)


def make_certificate(directory, name, host="localhost", days=2):
    """A self-signed NAME.crt with NAME.key; RSA, as published cipher lists have it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days),
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1",
         "-keyout", os.path.join(directory, name + ".key"),
         "-out", os.path.join(directory, name + ".crt")],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=60)
