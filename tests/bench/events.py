"""Changes of files and how a client sees that they are served."""

import os
import time

import generate

MARK = "/metrics?name[]=results_scenario_params_info"    # one scenario has parameters
TOTAL = "/metrics?name[]=cost_scenarios_total"
PATIENCE_S = 30


def prepare(directory, text):
    """A file that no watcher takes for results yet; its path."""
    path = os.path.join(directory, ".new")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def put(directory, name, text):
    """Renames it into place; the moment just before."""
    path = prepare(directory, text)
    begun = time.perf_counter()
    os.rename(path, os.path.join(directory, name))
    return begun


def rewrite(directory, name, text):
    """Truncates and writes the file itself; the moment just before it is closed."""
    f = open(os.path.join(directory, name), "w", encoding="utf-8")
    f.write(text)
    f.flush()
    begun = time.perf_counter()
    f.close()
    return begun


def until(client, begun, seen):
    """Seconds from begun to the end of the first answer of which seen(body) is true."""
    while not seen(client.ask()[1]):
        if time.perf_counter() - begun > PATIENCE_S:
            raise RuntimeError(f"a change is not served within {PATIENCE_S} s")
    return time.perf_counter() - begun


def marked(text):
    wanted = f'round="{text}"'.encode()
    return lambda body: wanted in body


def marked_run(count, text, seed=1):
    """A file of which the first scenario carries a parameter that tells it apart."""
    run = generate.scenarios(count, seed)
    run[0]["params"] = {"round": text}
    return generate.file_text([generate.scenario_text(s) for s in run], seed)


class Changing:
    """A file of many scenarios of which one is different each time."""

    def __init__(self, count, seed=1):
        run = generate.scenarios(count, seed)
        self.texts = [generate.scenario_text(s) for s in run]
        self.place = count // 2
        self.scenario = run[self.place]
        self.watts = self.scenario["power_watts"][0]

    def text(self, number):
        """Power, score and mark change with number: each endpoint has something new."""
        s = self.scenario
        s["params"] = {"round": f"r{number}"}
        s["vmaf_score"] = round(50 + number % 400 * 0.1, 2)
        s["power_watts"][0] = round(self.watts + 0.1 * (number + 1), 1)
        self.texts[self.place] = generate.scenario_text(s)
        return generate.file_text(self.texts)


def poll_times(client, count=200):
    """Seconds of each poll when nothing happens: what the client adds at most."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        client.ask()
        times.append(time.perf_counter() - begun)
    return times
