"""The man page and the completion of shells say what --help says, and work where they are
read: groff takes the page without a warning, the shells complete command lines by it."""

import os
import re
import shutil
import subprocess
import unittest

import harness

MANUAL = os.path.join(os.path.dirname(harness.binary()), "manual")
PAGE = os.path.join(MANUAL, "encode_exporter.1")
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENCODE_EXPORTER PREDICT",
            "ENCODE_EXPORTER RECORD", "ENVIRONMENT", "SIGNALS", "EXIT STATUS", "FILES",
            "EXAMPLES", "SEE ALSO"]


def shell(program, script, *words, directory=None):
    """Lines that a script writes; it must say nothing on stderr."""
    if not shutil.which(program):
        raise unittest.SkipTest(f"no {program} here")
    done = subprocess.run([program, *words, script], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, timeout=60, cwd=directory, check=False,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, "HOME": directory or "/nonexistent",
                               "TERM": "dumb"})
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


def render(path):
    """What a terminal shows of a page, without its attributes; fails at a warning."""
    if not shutil.which("groff"):
        raise unittest.SkipTest("no groff (package groff-base)")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env={**os.environ, "GROFF_NO_SGR": "1"}, check=False)
    if done.returncode or done.stderr:
        raise AssertionError(done.stderr.decode())
    return re.sub(".\b", "", done.stdout.decode())


def blanks_joined(text):
    return " ".join(text.replace("‐\n", "").split())


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = render(PAGE)
        cls.joined = blanks_joined(cls.text)

    def test_the_sections_come_in_the_order_of_man_pages(self):
        found = re.findall(r"^([A-Z].*)$", self.text, re.M)
        self.assertEqual([f for f in found if not f.startswith("ENCODE_EXPORTER(1)")
                          and not f.startswith("encode_exporter")], SECTIONS)

    def test_every_flag_is_there_with_what_help_says_of_it(self):
        seen = 0
        for line in harness.run("--help", "all").stdout.split("\n  --")[1:]:
            head, _, rest = line.partition("\n      ")
            words = blanks_joined(rest.split("\n\n")[0].split("\n(in")[0])
            words = re.split(r" [a-z]+: ", words)[0]    # the next topic
            with self.subTest(head):
                self.assertIn(f"--{head} {words}", self.joined)
            seen += 1
        self.assertGreater(seen, 80)

    def test_every_variable_names_its_flag(self):
        environment = self.text.split("\nENVIRONMENT\n")[1].split("\nSIGNALS\n")[0]
        rows = re.findall(r"^\| `--([\w.-]+)[^|]*?` \| (`[^|]+`) \|",
                          harness.run("--help", "markdown").stdout, re.M)
        self.assertGreater(len(rows), 10)
        for flag, names in rows:
            for name in re.findall(r"`(\w+)`", names):
                self.assertRegex(environment, rf"\b{name}\n? +--{flag}\b")

    def test_it_begins_with_what_help_begins_with(self):
        first = harness.run("--help").stdout.splitlines()[0]
        self.assertIn(f"NAME {first} SYNOPSIS", self.joined)
        for example in re.findall(r"^  (encode_exporter .*)$", harness.run("--help").stdout,
                                  re.M):
            self.assertIn(example, self.joined)

    def test_a_fault_of_the_page_would_be_seen(self):
        directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, directory)
        path = os.path.join(directory, "page.1")
        with open(PAGE, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + ".NO_SUCH_MACRO\n")
        with self.assertRaisesRegex(AssertionError, "NO_SUCH_MACRO"):
            render(path)


class Completion:
    """The same questions to each shell; words(line) are its answers."""

    def setUp(self):
        self.directory = harness.temp_dir()
        self.addCleanup(shutil.rmtree, self.directory)
        os.mkdir(os.path.join(self.directory, "runs of today"))
        os.mkdir(os.path.join(self.directory, "elsewhere"))
        harness.write_atomically(os.path.join(self.directory, "runs.json"), "{}")

    def test_flags(self):
        self.assertEqual(self.words("encode_exporter --re"),
                         {"--results-dir", "--results.listen-address", "--region"})
        flags = self.words("encode_exporter --")
        asked = set(re.findall(r"^  (--[\w.-]+)", harness.run("--help", "all").stdout, re.M))
        self.assertEqual(flags, (asked | {"--help", "--version"}) -
                         {"--resolution", "--fps", "--bitrate", "--encoder", "--preset",
                          "--target-vmaf", "--json", "--name", "--run", "--param",
                          "--set", "--no-probe", "--no-progress",
                          "--strict"})

    def test_values_that_a_flag_allows(self):
        for line, words in (("--newest ", {"auto", "name", "mtime"}),
                            ("--newest m", {"mtime"}),
                            ("--log.level=w", {"warn"}),
                            ("--runs all --once ", {"results", "qoe", "cost", "all"}),
                            ("--only ", {"results", "qoe", "cost"}),
                            ("--help pr", {"prices", "predict", "process"})):
            with self.subTest(line):
                self.assertEqual(self.words(f"encode_exporter {line}"), words)

    def test_files_and_directories(self):
        self.assertEqual(self.words("encode_exporter --results-dir r"), {"runs of today"})
        self.assertEqual(self.words("encode_exporter --pricing-config r"),
                         {"runs of today", "runs.json"})

    def test_what_may_be_any_text_is_left_to_the_user(self):
        self.assertEqual(self.words("encode_exporter --currency "), set())

    def test_predict_has_flags_of_its_own(self):
        self.assertEqual(self.words("encode_exporter pre"), {"predict"})
        self.assertEqual(self.words("encode_exporter predict --res"),
                         {"--results-dir", "--results.listen-address", "--resolution"})
        self.assertEqual(self.words("encode_exporter --reso"), set())

    def test_record_has_none_but_its_own(self):
        self.assertEqual(self.words("encode_exporter rec"), {"record"})
        self.assertEqual(self.words("encode_exporter record --re"), {"--results-dir"})
        self.assertEqual(self.words("encode_exporter record --s"), {"--set", "--strict"})
        self.assertEqual(self.words("encode_exporter record --results-dir r"),
                         {"runs of today"})


class Bash(Completion, unittest.TestCase):
    def words(self, line):
        # As readline cuts a line: '=' is a word of its own.
        cut = [w for w in re.split(r" |(=)", line) if w is not None]
        cut = [w for i, w in enumerate(cut) if w or i == len(cut) - 1]
        script = (f". '{MANUAL}/encode_exporter.bash'\n"
                  f"COMP_WORDS=({' '.join(repr(w) for w in cut)})\n"
                  f"COMP_CWORD={len(cut) - 1}\n"
                  "_encode_exporter\n"
                  '[ ${#COMPREPLY[@]} = 0 ] || printf "%s\\n" "${COMPREPLY[@]}"\n')
        return set(shell("bash", script, "--norc", "-c", directory=self.directory))

    def test_it_is_bound_to_the_command(self):
        bound = shell("bash", f". '{MANUAL}/encode_exporter.bash'; complete -p", "--norc",
                      "-c")
        self.assertIn("complete -F _encode_exporter encode_exporter", bound)


class Fish(Completion, unittest.TestCase):
    def words(self, line):
        found = shell("fish", f"source '{MANUAL}/encode_exporter.fish'; "
                              f"complete -C '{line}'", "--no-config", "-c",
                      directory=self.directory)
        # It shows what stands before '=', too, and a slash behind directories.
        return {w.split("\t")[0].split("=")[-1].rstrip("/") for w in found}


class Zsh(Completion, unittest.TestCase):
    def words(self, line):
        # A terminal of its own; what would be inserted is caught where it is added.
        script = f"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= ; stty -echo columns 500; cd '{self.directory}'; \
fpath=('{MANUAL}' \\$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w z 'compadd() {{ local -a hits given; given=("$@"); local at=${{@[(I)-D]}}
(( at )) && given[at,at+1]=()
builtin compadd -O hits "${{given[@]}}"
print -rl -- "<"$^hits">" >>{self.directory}/.words; builtin compadd "$@" }}'
zpty -w z 'list-words() {{ : >{self.directory}/.words; _main_complete; \
: >{self.directory}/.done }}; zle -C list-words list-choices list-words; bindkey "^X" list-words'
zpty -w z ': >{self.directory}/.ready'
until [[ -e {self.directory}/.ready ]]; do sleep 0.02; done
zpty -w -n z "{line}"$'\\x18'
until [[ -e {self.directory}/.done ]]; do sleep 0.02; done
zpty -d z
cat {self.directory}/.words
rm -f {self.directory}/.*(N)
"""
        found = shell("zsh", script, "-f", "-c", directory=self.directory)
        return {w[1:-1].rstrip("/=").replace("\\", "") for w in found
                if w.startswith("<")} - {""}


if __name__ == "__main__":
    harness.main()
