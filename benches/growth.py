#!/usr/bin/env python3
"""Shows that validation takes time in proportion to what it reads, hostile files included.

Usage: benches/growth.py [path of iefctl]      (default: target/release/iefctl)

Each kind of input is validated in three sizes, each twice the one before. The factor is what the last
doubling cost: 2 is linear, 4 would be quadratic. Processor time counts, the least of several runs; beside
it stands what the largest size took of time and memory.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

RUNS = 5
HEAD = (
    '<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" '
    'PolicySchemaVersion="0.3.0.0" TenantId="contoso.onmicrosoft.com" PolicyId="B2C_1A_{id}" '
    'PublicPolicyUri="http://contoso.onmicrosoft.com/B2C_1A_{id}"{more}>\n'
)
END = "</TrustFrameworkPolicy>\n"


def policy(body, more="", name="Base"):
    return HEAD.format(id=name, more=more) + body + END


def claims(count, base=0):
    return (
        "<BuildingBlocks><ClaimsSchema>"
        + "".join(
            f'<ClaimType Id="claim{base + n}"><DisplayName>Claim {n}</DisplayName>'
            f"<DataType>string</DataType></ClaimType>\n"
            for n in range(count)
        )
        + "</ClaimsSchema></BuildingBlocks>\n"
    )


def profiles(count, claim, prefix="Profile"):
    return (
        "<ClaimsProviders><ClaimsProvider><DisplayName>Contoso</DisplayName><TechnicalProfiles>"
        + "".join(
            f'<TechnicalProfile Id="{prefix}{n}"><DisplayName>Profile {n}</DisplayName>'
            '<Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.RestfulProvider, '
            'Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null" />'
            '<Metadata><Item Key="ServiceUrl">https://api.contoso.com/check</Item>'
            '<Item Key="AuthenticationType">None</Item></Metadata>'
            f'<OutputClaims><OutputClaim ClaimTypeReferenceId="{claim(n)}" /></OutputClaims>'
            "</TechnicalProfile>\n"
            for n in range(count)
        )
        + "</TechnicalProfiles></ClaimsProvider></ClaimsProviders>\n"
    )


def large(count):
    return {"Base.xml": policy(claims(count) + profiles(count, lambda n: f"claim{n}"))}


def nested(count):
    return {"Base.xml": policy("<Contacts>" * count + "</Contacts>" * count)}


def attributes(count):
    return {"Base.xml": policy("", "".join(f' a{n}="x"' for n in range(count)))}


def prefixes(count):
    return {"Base.xml": policy("", "".join(f' xmlns:a{n}="x"' for n in range(count)))}


def twins(count):
    many = '<ClaimType Id="same" />\n' * count
    return {"Base.xml": policy(f"<BuildingBlocks><ClaimsSchema>{many}</ClaimsSchema></BuildingBlocks>\n")}


def unknown_elements(count):
    return {"Base.xml": policy("".join(f"<Contoso{n} />\n" for n in range(count)))}


def dangling(count):
    return {"Base.xml": policy(claims(count) + profiles(count, lambda n: f"missing{n}"))}


def unclosed(count):
    return {"Base.xml": policy("<Contacts>" * count)}


def one_line(count):
    return {"Base.xml": large(count)["Base.xml"].replace("\n", "")}


def laughs(count):
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, count))
    doctype = f'<!DOCTYPE p [<!ENTITY l0 "ha">{entities}]>'
    return {"Base.xml": doctype + policy(f"<Contacts>&l{count - 1};</Contacts>")}


def journey(*steps):
    return (
        '<UserJourneys><UserJourney Id="Journey"><OrchestrationSteps>'
        + "".join(
            f'<OrchestrationStep Order="{order}" Type="ClaimsExchange"><ClaimsExchanges>\n'
            + "".join(
                f'<ClaimsExchange Id="Exchange{id}" TechnicalProfileReferenceId="Profile0" />\n'
                for id in ids
            )
            + "</ClaimsExchanges></OrchestrationStep>\n"
            for order, ids in enumerate(steps, 1)
        )
        + "</OrchestrationSteps></UserJourney></UserJourneys>\n"
    )


def exchanges(count):
    own = claims(1) + profiles(1, lambda n: f"claim{n}")
    return {"Base.xml": policy(own + journey(range(count)))}


def selections(count):
    own = claims(1) + profiles(1, lambda n: f"claim{n}")
    page = (
        '<OrchestrationStep Order="1" Type="ClaimsProviderSelection"><ClaimsProviderSelections>\n'
        + "".join(
            f'<ClaimsProviderSelection TargetClaimsExchangeId="Exchange{n}" />\n'
            for n in range(count)
        )
        + "</ClaimsProviderSelections></OrchestrationStep>\n"
    )
    start = "<OrchestrationSteps>"
    after = journey(range(count)).replace('Order="1"', 'Order="2"')
    return {"Base.xml": policy(own + after.replace(start, start + page))}


def steps(count):
    own = claims(1) + profiles(1, lambda n: f"claim{n}")
    return {"Base.xml": policy(own + journey(*([id] for id in range(count))))}


def journeys(count):
    own = claims(1) + profiles(1, lambda n: f"claim{n}")
    one = journey([0]).removeprefix("<UserJourneys>").removesuffix("</UserJourneys>\n")
    many = "".join(one.replace('Id="Journey"', f'Id="Journey{n}"') + "\n" for n in range(count))
    return {"Base.xml": policy(own + f"<UserJourneys>{many}</UserJourneys>\n")}


def items(count):
    many = "".join(f'<Item Key="Key{n}">{n}</Item>\n' for n in range(count))
    own = profiles(1, lambda n: "claim0").replace("<Metadata>", f"<Metadata>{many}")
    return {"Base.xml": policy(claims(1) + own)}


def shared_base(count):
    """Policies of about 60 KB each."""
    files = {"Base.xml": policy(claims(300) + profiles(100, lambda n: f"claim{n}"))}
    base = (
        "<BasePolicy><TenantId>contoso.onmicrosoft.com</TenantId>"
        "<PolicyId>B2C_1A_Base</PolicyId></BasePolicy>\n"
    )
    for number in range(count - 1):
        own = claims(140, 1000) + profiles(105, lambda n: f"claim{n}", f"Own{number}_")
        name = f"Leaf{number}"
        files[f"{name}.xml"] = policy(base + own, name=name)
    return files


CASES = [
    ("a large policy", large, 1000),
    ("the same in one line", one_line, 1000),
    ("nested elements", nested, 5000),
    ("attributes of one tag", attributes, 25000),
    ("prefixes of one tag", prefixes, 10000),
    ("claim types of one id", twins, 5000),
    ("unknown elements", unknown_elements, 25000),
    ("dangling references", dangling, 1000),
    ("elements left open", unclosed, 25000),
    ("entities that multiply", laughs, 50),
    ("exchanges of one step", exchanges, 5000),
    ("selections of one step", selections, 5000),
    ("steps of one journey", steps, 2500),
    ("user journeys", journeys, 2500),
    ("items of one profile", items, 5000),
    ("policies with one base", shared_base, 50),
]


def measure(command):
    """Seconds of processor time, seconds until the end, and megabytes of memory."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - start
    # Its end was waited for already.
    child.returncode = 0
    return usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss / 1024


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    iefctl = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else root / "target/release/iefctl")
    for name, make, smallest in CASES:
        times = []
        runs = []
        for size in (smallest, 2 * smallest, 4 * smallest):
            with tempfile.TemporaryDirectory() as folder:
                bytes_ = 0
                for file, text in make(size).items():
                    bytes_ += len(text)
                    pathlib.Path(folder, file).write_text(text, encoding="utf-8")
                command = [iefctl, "validate", "--format", "json", folder]
                runs = [measure(command) for _ in range(RUNS)]
                times.append(min(run[0] for run in runs))
        shown = ", ".join(f"{1000 * time:.0f}" for time in times)
        factor = times[2] / times[1]
        largest = f"{1000 * min(run[1] for run in runs):.0f} ms, {max(run[2] for run in runs):.0f} MB"
        size = f"up to {4 * smallest:6}, {bytes_ / 1e6:5.1f} MB"
        print(f"{name:24} {size}: {shown} ms, factor {factor:.1f}; {largest}", flush=True)


if __name__ == "__main__":
    main()
