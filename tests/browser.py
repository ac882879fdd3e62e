"""A headless Chromium driven through its own DevTools protocol, over a pipe: nothing to install beside it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ABSENT = (
    "not run: no Chromium on the PATH; `apt-get install chromium`, or give the path of one in the "
    "environment variable CHROMIUM"
)
_PLACED = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
"""Puts the two ends of the pipes where the browser looks for them, and becomes the browser."""

_FLAGS = (
    "--headless=new --remote-debugging-pipe --no-sandbox --disable-gpu --disable-dev-shm-usage "
    "--no-first-run --disable-extensions --disable-background-networking "
    "--disable-component-update --hide-scrollbars"
).split()


def chromium() -> str | None:
    """The path of a Chromium: the one named in CHROMIUM, else the first on the PATH."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of the browser, and what it logged and asked the network for since it was opened."""

    def __init__(self, send: Any, receive: Any, profile: str) -> None:
        self._send, self._receive = send, receive
        self._count = 0
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        while (answer := self._read()).get("id") != self._count:
            self._events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def open(self, path: Path, *, width: int = 1280, height: int = 900, scripts: bool = True) -> None:
        """Load a file from disk in a window of this size, and wait until it is laid out."""
        self._events.clear()
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(width, height)
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._read())

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def media(self, kind: str = "", scheme: str = "light") -> None:
        """Show the page as on paper (``print``) or on a screen, in light or in dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, named as in a keyboard event."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode={"Enter": 13, " ": 32, "Tab": 9}[key],
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """What the console, the log and uncaught errors said since the page was opened."""
        self.run("0")
        told = []
        for event in self._events:
            method, details = event.get("method"), event.get("params", {})
            if method == "Log.entryAdded":
                told.append(details["entry"]["text"])
            elif method == "Runtime.consoleAPICalled":
                told.append(str([item.get("value") for item in details["args"]]))
            elif method == "Runtime.exceptionThrown":
                told.append(details["exceptionDetails"]["text"])
        return told

    def requests(self) -> list[str]:
        """The addresses that the page asked for since it was opened, itself left out."""
        self.run("0")
        asked = [
            event["params"]["request"]["url"]
            for event in self._events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked[1:] if not url.startswith("data:")]

    def picture(self, path: Path, **clip: float) -> None:
        """Write a PNG of the window, or of a part of the page."""
        area = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        data = self.call("Page.captureScreenshot", format="png", **area)["data"]
        path.write_bytes(base64.b64decode(data))

    def pages(self) -> int:
        """How many pages of A4 the page is printed on."""
        data = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"]
        return len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(data)))

    def fonts(self, selector: str) -> set[str]:
        """The families that the text in an element was drawn in."""
        for domain in ("DOM", "CSS"):
            self.call(f"{domain}.enable")
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        found = self.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        return {font["familyName"] for font in found}

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self._receive()))


def _messages(stream: Any) -> Iterator[bytes]:
    pending = b""
    while chunk := os.read(stream, 1 << 16):
        pending += chunk
        *whole, pending = pending.split(b"\0")
        yield from whole
    raise RuntimeError("the browser ended")


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """A tab of a fresh browser that keeps its profile in ``folder``; skips the test where there is none."""
    path = chromium()
    if path is None:
        pytest.skip(ABSENT)
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]

    process = subprocess.Popen(
        [sys.executable, "-c", _PLACED, *map(str, high), path, *_FLAGS, f"--user-data-dir={folder}"],
        pass_fds=high,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (theirs_in, theirs_out, *high):
        os.close(end)
    try:
        with os.fdopen(ours_out, "wb") as send:
            yield Tab(send, _messages(ours_in).__next__, str(folder))
    finally:
        process.terminate()
        process.wait(20)
        os.close(ours_in)
