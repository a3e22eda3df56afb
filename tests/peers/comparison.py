"""What the peers share: judging an answer against a case, and talking to a program in bulk.

A case is an object with `id`, `protocol`, `direction`, `hex` or `text`, `expect` and `fields`, plus, where the
names of the recorded cases do not settle everything:

`if_present`  names that must have these values if the other side prints them at all
`absent`      names the other side must not print (or print as null)
`prefix`      names whose text must begin so
`tail`        names whose list must end so

`expect` is `decode`, `refuse`, or `lenient`: either answer will do, but a decoded one must carry `fields`.
"""

import argparse
import json
import subprocess
import sys
import threading

SHOWN = 20
DEGREES = ("lat_deg", "lon_deg", "lat", "lon")


def same(name, ours, theirs):
    """Equality of values; degrees to 1e-6, and 14 equals 14.0, but text never equals a number."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return abs(ours - theirs) <= (1e-6 if name in DEGREES else 1e-9)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(key in theirs and same(key, value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(same(name, a, b) for a, b in zip(ours, theirs))
    return ours == theirs


def judge(case, answer):
    """The ways in which an answer differs from a case, as sentences; none is agreement."""
    if answer is None:
        return ["no answer"]
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        return [f"not an answer: {answer!r}"]
    if not answer["ok"]:
        return [f"refused: {answer.get('error')}"] if case["expect"] == "decode" else []
    fields = answer.get("fields")
    if case["expect"] == "refuse":
        return ["accepted what must be refused"]
    if not isinstance(fields, dict):
        return ["accepted without fields"]
    found = []
    for name, value in case["fields"].items():
        if name not in fields:
            found.append(f"{name} is missing, expected {value!r}")
        elif not same(name, value, fields[name]):
            found.append(f"{name} is {fields[name]!r}, expected {value!r}")
    for name, value in case.get("if_present", {}).items():
        if fields.get(name) is not None and not same(name, value, fields[name]):
            found.append(f"{name} is {fields[name]!r}, expected {value!r} or nothing")
    for name in case.get("absent", ()):
        if fields.get(name) is not None:
            found.append(f"{name} is {fields[name]!r}, expected nothing")
    for name, value in case.get("prefix", {}).items():
        if not str(fields.get(name, "")).startswith(value):
            found.append(f"{name} is {fields.get(name)!r}, expected to begin {value!r}")
    for name, value in case.get("tail", {}).items():
        if not same(name, value, (fields.get(name) or [])[-len(value) :] if value else []):
            found.append(f"{name} is {fields.get(name)!r}, expected to end {value!r}")
    return found


def question(case):
    """The line a program that explains frames is asked."""
    return {name: case[name] for name in ("protocol", "direction", "hex", "text", "charset") if name in case}


def ask(program, cases):
    """Answers of `program`, one for each case; a thread writes so that neither side waits for the other."""
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    answers = []

    def write():
        try:
            with child.stdin:
                for case in cases:
                    child.stdin.write((json.dumps(question(case), ensure_ascii=False) + "\n").encode())
        except BrokenPipeError:
            pass  # the missing answers are reported below

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    with child.stdout:
        for line in child.stdout:
            try:
                answers.append(json.loads(line))
            except ValueError:
                answers.append(line.decode(errors="replace").strip())
    writer.join()
    child.wait()
    return answers, child.returncode


def answer_of(case, decode_case, refused):
    try:
        return {"ok": True, "fields": decode_case(case)}
    except refused as reason:
        return {"ok": False, "error": str(reason)}


def report(cases, answers, known=()):
    """Print the summary; True when nothing differs. Each of `known` turns (case, answer) into a reason or None."""
    agreed, differing, reasons = 0, [], {}
    for number, case in enumerate(cases):
        answer = answers[number] if number < len(answers) else None
        found = judge(case, answer)
        reason = next(filter(None, (rule(case, answer) for rule in known)), None) if found and answer else None
        if reason:
            reasons[reason] = reasons.get(reason, 0) + 1
        elif found:
            differing.append((case, found))
        else:
            agreed += 1
    show(differing)
    for reason, count in sorted(reasons.items()):
        print(f"{count} known: {reason}")
    if len(answers) > len(cases):
        print(f"{len(answers) - len(cases)} answers too many")
    print(f"{agreed} agreed, {len(differing)} differed")
    # Nothing asked is not agreement.
    return bool(cases) and not differing and len(answers) == len(cases)


def show(differing):
    """The first differences of every kind, and how many there are of it, the most frequent kind first."""
    kinds = {}
    for case, found in differing:
        fields = case.get("fields", {})
        named = fields.get("sentence") or fields.get("type") or ""
        kinds.setdefault((case["protocol"], named, found[0].split(",")[0].split(":")[0][:24]), []).append((case, found))
    for members in sorted(kinds.values(), key=len, reverse=True)[:SHOWN]:
        case, found = members[0]
        wire = case.get("hex") or case.get("text") or " ".join(case.get("frames", ()))
        print(f"{len(members)} like {case['id']} {case['protocol']} expect {case['expect']}: {'; '.join(found)[:600]}")
        print(f"    {wire[:400]}")


def read_cases(path, protocols):
    with open(path, encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines if line.strip()]
    return [case for case in cases if case["protocol"] in protocols]


def run_command_line(parser, generate, decode_case, refused, known, protocols):
    """`generate`, `decode`, `check` and `compare`, which are the same for every peer. Exits 1 on a difference.

    `known` excuses the peer in `check`; it never excuses the program that `compare` asks.
    """
    commands = parser.add_subparsers(dest="action", required=True)
    for name in ("generate", "compare"):
        command = commands.add_parser(name)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--count", type=int, default=10_000)
        command.add_argument("--protocol", action="append", default=[], help="only this one; may be repeated")
    command.add_argument("--cases", help="recorded cases (JSON lines) to ask instead of generated ones")
    command.add_argument("program", nargs=argparse.REMAINDER, help="a program that explains frames, with arguments")
    commands.add_parser("decode")
    commands.add_parser("check").add_argument("cases")
    options = parser.parse_args()
    if options.action == "decode":
        for line in sys.stdin:
            print(json.dumps(answer_of(json.loads(line), decode_case, refused), ensure_ascii=False), flush=True)
        return
    if options.action == "generate":
        for case in generate(options.seed, options.count, options.protocol):
            print(json.dumps(case, ensure_ascii=False))
        return
    if options.action == "check":
        cases = read_cases(options.cases, protocols)
        agreed = report(cases, [answer_of(case, decode_case, refused) for case in cases], known)
    else:
        asked = options.protocol
        if options.cases:
            cases = read_cases(options.cases, asked or protocols)
        else:
            cases = list(generate(options.seed, options.count, asked))
        answers, status = ask(options.program, cases)
        if status != 0:
            print(f"{options.program[0]} ended with status {status}")
        agreed = report(cases, answers) and status == 0
    sys.exit(0 if agreed else 1)
