"""A real browser for tests: Debian's Chromium without a screen, told what to do by its own
protocol (https://chromedevtools.github.io/devtools-protocol/) over two pipes. No driver
program, no port, no library: a message is JSON with a zero byte behind it.

    with browser.Browser() as b, b.page(dark=True) as p:
        p.open("http://127.0.0.1:9502/")
        p.wait("document.title !== ''")
        assert not p.problems

A page notes what a person would find in the browser's own tools: every URL that was asked
for, what was said on the console, exceptions, breaches of the content security policy.
"""

import base64
import collections
import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import threading
import time
import unittest

# The small one first: the same engine without windows.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
START_LIMIT = 60
CALL_LIMIT = 60
FLAGS = (
    "--headless", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars",
    # Tests run as root in containers, where its sandbox cannot be made; it opens pages of
    # the program under test only.
    "--no-sandbox", "--disable-dev-shm-usage",
    # Nothing of its own: no updates, reports, look-ups of names, proxies.
    "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-breakpad",
    "--disable-crash-reporter", "--disable-domain-reliability", "--disable-extensions",
    "--disable-client-side-phishing-detection", "--metrics-recording-only",
    "--no-proxy-server", "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, "
    "EXCLUDE 127.0.0.1, EXCLUDE localhost",
    # Pages behind others are as fast as the one in front.
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows", "--force-color-profile=srgb",
    "--password-store=basic", "--lang=en-US",
)
# Runs before any script of a page.
WITNESS = """
addEventListener('securitypolicyviolation', e => {
    (window.__breaches = window.__breaches || []).push(
        e.violatedDirective + ' ' + e.blockedURI);
});
"""
# Of keys that have no letter: code, number, text.
KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), " ": ("Space", 32, " "),
        "Escape": ("Escape", 27, ""), "Backspace": ("Backspace", 8, ""),
        "PageUp": ("PageUp", 33, ""), "PageDown": ("PageDown", 34, ""),
        "End": ("End", 35, ""), "Home": ("Home", 36, ""),
        "ArrowLeft": ("ArrowLeft", 37, ""), "ArrowUp": ("ArrowUp", 38, ""),
        "ArrowRight": ("ArrowRight", 39, ""), "ArrowDown": ("ArrowDown", 40, "")}
MODIFIERS = {"alt": 1, "control": 2, "meta": 4, "shift": 8}

Asked = collections.namedtuple("Asked", "url method kind")


class Failed(AssertionError):
    """What the browser said no to."""


def program():
    """Path of a browser; skips where there is none."""
    given = os.environ.get("BROWSER_UNDER_TEST")
    for name in (given,) if given else PROGRAMS:
        path = shutil.which(name)
        if path:
            return path
    raise unittest.SkipTest("no Chromium (package chromium-headless-shell or chromium)")


def high(fd):
    """The same descriptor with a number that no plumbing below needs."""
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(fd)
    return copy


def alive(group):
    """Processes of a group that run; those that nobody has asked after do not."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8",
                                                errors="replace") as f:
            state, _, its_group = f.read().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(pid))
    return found


class Browser:
    """One browser with a profile of its own; pages share nothing with each other.

    flags: more for its command line.
    The start skips where no browser is installed, or none that runs here.
    """

    def __init__(self, *flags):
        self.flags = flags
        self.pid = None
        self.ended = False
        self.home = None
        self.commands = None
        self.version = None
        self.writing = threading.Lock()
        self.news = threading.Condition()    # of what stands below
        self.last = 0
        self.waiting = set()
        self.answers = {}
        self.pages = {}
        self.over = False

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    # ---- life ---------------------------------------------------------------------
    def start(self):
        path = program()
        self.home = tempfile.mkdtemp(prefix="encode_exporter-browser-")
        heard, self.commands = map(high, os.pipe())
        answers, said = map(high, os.pipe())
        log = os.open(os.path.join(self.home, "log"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        ends = ((null, 0), (log, 1), (log, 2), (heard, 3), (said, 4))
        try:
            self.pid = os.posix_spawn(
                path, [path, *FLAGS, *self.flags, f"--user-data-dir={self.home}/profile",
                       "about:blank"],
                {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.home,
                 "TMPDIR": self.home, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                file_actions=[(os.POSIX_SPAWN_DUP2, *end) for end in ends], setpgroup=0)
        finally:
            for fd in (heard, said, log, null):
                os.close(fd)
        threading.Thread(target=self.listen, args=(answers,), daemon=True).start()
        try:
            self.version = self.call("Browser.getVersion", limit=START_LIMIT)["product"]
        except Failed as error:
            raise unittest.SkipTest(f"{path} does not run here: {error}: {self.log}") from None

    @property
    def log(self):
        """The last of what it said on its own account."""
        with open(os.path.join(self.home, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:].strip()

    def close(self):
        """Ends it and all that it has started; they are a process group of their own."""
        if self.pid:
            with contextlib.suppress(Failed):
                self.call("Browser.close", limit=5)
            self.wait_for_end(10)
            # Those of its own are a group as long as one of them is left.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait_for_end(10)
        if self.commands is not None:
            os.close(self.commands)
        if self.home:
            # The last of its processes may still be writing.
            for _ in range(100):
                shutil.rmtree(self.home, ignore_errors=True)
                if not os.path.exists(self.home):
                    break
                time.sleep(0.02)

    def wait_for_end(self, limit):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            self.ended = self.ended or os.waitpid(self.pid, os.WNOHANG)[0] != 0
            if self.ended and not alive(self.pid):
                break
            time.sleep(0.01)

    # ---- messages -----------------------------------------------------------------
    def listen(self, fd):
        """The thread that hears all: answers wake who waits, events go to their page."""
        rest = b""
        while True:
            piece = os.read(fd, 1 << 20)
            if not piece:
                break
            *whole, rest = (rest + piece).split(b"\0")
            for text in whole:
                self.hear(json.loads(text))
        os.close(fd)
        with self.news:
            self.over = True
            self.news.notify_all()

    def hear(self, message):
        with self.news:
            if "id" in message:
                if message["id"] in self.waiting:
                    self.answers[message["id"]] = message
                    self.news.notify_all()
                return
            page = self.pages.get(message.get("sessionId"))
        if page:
            page.hear(message["method"], message["params"])

    def send(self, method, session=None, awaited=False, **params):
        """Number of the call. Not awaited: nobody hears what is answered."""
        with self.news:
            self.last += 1
            message = {"id": self.last, "method": method, "params": params}
            if awaited:
                self.waiting.add(self.last)
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        with self.writing, contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self.commands, data):]
        return message["id"]

    def call(self, method, session=None, limit=CALL_LIMIT, **params):
        """What the browser answers; Failed where it refuses or does not answer in time."""
        number = self.send(method, session, awaited=True, **params)
        with self.news:
            self.news.wait_for(lambda: number in self.answers or self.over, limit)
            self.waiting.discard(number)
            answer = self.answers.pop(number, None)
        if answer is None:
            raise Failed(f"{method}: " + ("the browser has ended" if self.over
                                          else f"no answer within {limit} s"))
        if "error" in answer:
            raise Failed(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    # ---- pages --------------------------------------------------------------------
    @contextlib.contextmanager
    def page(self, **how):
        """A new page in a window of its own, without anybody's cookies; see Page."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        try:
            target = self.call("Target.createTarget", url="about:blank",
                               browserContextId=context)["targetId"]
            session = self.call("Target.attachToTarget", targetId=target,
                                flatten=True)["sessionId"]
            page = Page(self, session, **how)
            with self.news:
                self.pages[session] = page
            page.set_up()
            yield page
        finally:
            with contextlib.suppress(Failed):
                self.call("Target.disposeBrowserContext", browserContextId=context)


class Page:
    """size: of the window, in CSS pixels; phone: also a touch screen of a phone's density.
    dark: what the system is said to like. scripts: False for JavaScript off. login: name
    and password for whoever asks. trusting: certificates that nobody vouches for, too.
    """

    def __init__(self, browser, session, size=(1280, 900), phone=False, dark=False,
                 scripts=True, login=None, trusting=False, scale=1):
        self.browser = browser
        self.session = session
        self.size = size
        self.phone = phone
        self.dark = dark
        self.scripts = scripts
        self.login = login
        self.trusting = trusting
        self.scale = scale
        self.lock = threading.Lock()
        self.asked = []       # Asked, in order; also what was refused or failed
        self.failed = []      # (URL, why) of requests
        self.statuses = {}    # URL: status of its last answer
        self.said = []        # errors and warnings of the console, exceptions, breaches
        self.urls = {}
        self.refused = 0      # logins

    def call(self, method, limit=CALL_LIMIT, **params):
        return self.browser.call(method, self.session, limit, **params)

    def set_up(self):
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=WITNESS)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.resize(*self.size)
        self.prefer(self.dark)
        if self.phone:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        if not self.scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if self.trusting:
            self.call("Security.setIgnoreCertificateErrors", ignore=True)
        if self.login:
            self.call("Fetch.enable", handleAuthRequests=True)

    def resize(self, width, height):
        self.size = (width, height)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=self.scale, mobile=self.phone)

    def prefer(self, dark, motion=False):
        """What the system likes: dark or light, and whether it likes things that move. It
        does not, so that what is clicked on stays where it was found."""
        self.dark = dark
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion",
             "value": "no-preference" if motion else "reduce"}])

    # ---- what it noted ------------------------------------------------------------
    def hear(self, method, params):
        """An event; called by the thread that must not wait for answers."""
        with self.lock:
            if method == "Network.requestWillBeSent":
                request = params["request"]
                self.urls[params["requestId"]] = request["url"]
                self.asked.append(Asked(request["url"], request["method"],
                                        params.get("type", "")))
            elif method == "Network.webSocketCreated":
                self.asked.append(Asked(params["url"], "GET", "WebSocket"))
            elif method == "Network.responseReceived":
                self.statuses[params["response"]["url"]] = params["response"]["status"]
            elif method == "Network.loadingFailed":
                self.failed.append((self.urls.get(params["requestId"], "?"),
                                    params["errorText"]))
            elif method in ("Log.entryAdded", "Runtime.consoleAPICalled",
                            "Runtime.exceptionThrown", "Audits.issueAdded"):
                self.note(method, params)
        if method == "Fetch.requestPaused":
            self.browser.send("Fetch.continueRequest", self.session,
                              requestId=params["requestId"])
        elif method == "Fetch.authRequired":
            self.log_in(params)

    def note(self, method, params):
        if method == "Log.entryAdded":
            entry = params["entry"]
            if entry["level"] in ("warning", "error"):
                self.said.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")
        elif method == "Runtime.consoleAPICalled":
            if params["type"] in ("warning", "error", "assert"):
                self.said.append("console: " + " ".join(
                    str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.said.append("exception: " + details.get("exception", {}).get(
                "description", details["text"]))
        elif params["issue"]["code"] == "ContentSecurityPolicyIssue":
            details = params["issue"]["details"]["contentSecurityPolicyIssueDetails"]
            self.said.append(f"policy: {details['violatedDirective']} "
                             f"{details.get('blockedURL', 'inline')}")

    def log_in(self, params):
        """Once for each request, as a person whose password is refused would stop."""
        answer = {"response": "CancelAuth"}
        if params["requestId"] not in self.urls.setdefault("logins", []):
            self.urls["logins"].append(params["requestId"])
            answer = {"response": "ProvideCredentials", "username": self.login[0],
                      "password": self.login[1]}
        else:
            self.refused += 1
        self.browser.send("Fetch.continueWithAuth", self.session,
                          requestId=params["requestId"], authChallengeResponse=answer)

    @property
    def problems(self):
        """All that a person would find in red or yellow; empty is good."""
        breaches = self.js("window.__breaches || []") if self.scripts else []
        with self.lock:
            return self.said + ["policy: " + text for text in breaches]

    def forget(self):
        """What was noted so far."""
        with self.lock:
            self.asked.clear()
            self.failed.clear()
            self.said.clear()

    def strangers(self, *origins):
        """URLs asked for that begin with none of these and hold no data of their own."""
        with self.lock:
            return [a.url for a in self.asked if not a.url.startswith(
                tuple(o.rstrip("/") + "/" for o in origins) + ("data:", "blob:", "about:"))]

    # ---- what one does with it ----------------------------------------------------
    def open(self, url, limit=CALL_LIMIT):
        """Goes there and waits until the document has loaded."""
        answer = self.call("Page.navigate", limit, url=url)
        if answer.get("errorText"):
            raise Failed(f"{url}: {answer['errorText']}")
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'",
                  limit)

    def js(self, expression, limit=CALL_LIMIT):
        """Value of an expression, or of what it promises; as JSON has it."""
        answer = self.call("Runtime.evaluate", limit, expression=expression,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(f"{expression}: " + details.get("exception", {}).get(
                "description", details["text"]))
        return answer["result"].get("value")

    def wait(self, expression, limit=30, what=None):
        """Polls until an expression is true."""
        deadline = time.monotonic() + limit
        while True:
            with contextlib.suppress(Failed):    # also: the document goes away just now
                if self.js(f"!!({expression})"):
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or expression}: not within {limit} s; "
                                     f"{self.said[-5:]}")
            time.sleep(0.02)

    def text(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.js(f"[...document.querySelectorAll({json.dumps(selector)})]"
                       ".map(e => e.innerText)")

    def count(self, selector):
        return self.js(f"document.querySelectorAll({json.dumps(selector)}).length")

    def place(self, selector):
        """Middle of an element in the window, which is scrolled there if need be."""
        spot = self.js(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            if (!e) return null;
            e.scrollIntoView({{block: 'nearest', inline: 'nearest', behavior: 'instant'}});
            const r = e.getBoundingClientRect();
            return [r.x + r.width / 2, r.y + r.height / 2, r.width * r.height];
        }})()""")
        if not spot or not spot[2]:
            raise AssertionError(f"{selector} is not there to be seen")
        return spot[:2]

    def hover(self, selector):
        x, y = self.place(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector):
        """With the mouse, in the middle of what is there."""
        x, y = self.place(selector)
        self.click_at(x, y)

    def click_at(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      **({} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}))

    def wheel(self, selector, by):
        x, y = self.place(selector)
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=by)

    def key(self, name, *modifiers):
        """One key, pressed and released: "Tab", "Enter", " ", "ArrowDown", a letter."""
        code, number, text = KEYS.get(name, ("Key" + name.upper(), ord(name[0].upper()), name))
        how = {"key": name, "code": code, "windowsVirtualKeyCode": number,
               "modifiers": sum(MODIFIERS[m] for m in modifiers)}
        typed = {"text": text} if text and "control" not in modifiers else {}
        self.call("Input.dispatchKeyEvent", type="keyDown" if typed else "rawKeyDown",
                  **how, **typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **how)

    def type(self, text):
        """Into what has the focus."""
        for letter in text:
            self.call("Input.dispatchKeyEvent", type="char", text=letter)

    def choose(self, selector, value):
        """An option of a select, by its value, as by a person: with the event."""
        self.js(f"""(() => {{
            const e = document.querySelector({json.dumps(selector)});
            e.value = {json.dumps(value)};
            if (e.value !== {json.dumps(value)}) throw new Error('no such option');
            e.dispatchEvent(new Event('input', {{bubbles: true}}));
            e.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})()""")

    def fill(self, selector, text):
        """An input's text, in place of what stands there."""
        self.click(selector)
        self.js(f"document.querySelector({json.dumps(selector)}).select()")
        if text:
            self.type(text)
        else:
            self.key("Backspace")

    def screenshot(self, path=None, whole=False, clip=None):
        """PNG of the window, of the whole document, or of (x, y, width, height) of it."""
        how = {"format": "png", "captureBeyondViewport": bool(whole or clip)}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = (0, 0, size["width"], size["height"])
        if clip:
            how["clip"] = dict(zip(("x", "y", "width", "height"), clip), scale=1)
        png = base64.b64decode(self.call("Page.captureScreenshot", **how)["data"])
        if path:
            with open(path, "wb") as f:
                f.write(png)
        return png

    def memory(self):
        """Bytes that scripts hold, after what nobody holds was given back."""
        self.call("HeapProfiler.collectGarbage")
        return self.call("Runtime.getHeapUsage")["usedSize"]


class Case(unittest.TestCase):
    """Tests with one browser for all of a class. A page that is looked at must not have had
    anything to complain of when it is left, and must have asked its own server alone."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.browser.start()
        cls.addClassCleanup(cls.browser.close)

    @contextlib.contextmanager
    def look(self, url, *, tolerated=(), **how):
        """The page at a URL, opened. tolerated: beginnings of complaints that are expected."""
        with self.browser.page(**how) as page:
            page.open(url)
            yield page
            self.assertEqual([text for text in page.problems
                              if not text.startswith(tuple(tolerated))], [])
            self.assertEqual(page.strangers("/".join(url.split("/")[:3])), [])
