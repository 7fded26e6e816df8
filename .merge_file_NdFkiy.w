# Architecture

**Citizens walk journeys through a portal, 
every request becomes a row, 
rows become a verdict, 
a valid verdict becomes points, 
points become
something the main evaluation imports.**

The folders follow this sentence. Data flows one way. A room (a folder or module of `harness/`) 
imports only rooms above it in this table. An import contract in
`pyproject.toml` enforces this (`.venv/bin/lint-imports`, 
part of `make lint`).

| room | purpose | main libraries |
|---|---|---|
| `errors.py` | the tree of errors and their exit codes | |
| `origins.py` | what an origin is, 
and whether it is loopback: 
one parser | ada-url |
| `records/` | everything that is written down, 
typed, 
with one reader and one writer each: 
rows, 
plan, 
round, 
ledger, 
health, 
messages; 
what makes a step; 
which journeys are loaded after the lone walks (`lone_walks.py`); 
each lone walk whole (`kept_walks.py`); 
what servers say of their own time (`server_timing.py`); 
a sweep's attempts (`sweep_journal.py`); 
how it stands now (`live_state.py`); 
the availability history (`probe_history.py`); 
the hours of an authorisation (`permitted_hours.py`); 
and files of lines chained by digests (`chained_lines.py`) 
| msgpack |
| `statistics/` | percentiles, 
intervals, 
tests, 
keyed randomness, 
and the ids of traces that follow from it (`trace_context.py`) 
| numpy |
| `catalog/` | portals, 
platforms (requests in `profile.py`, 
what an answer must be in `answer_rules.py`, 
which texts are templates in `profile_texts.py`), 
walls, 
workloads (with the least `drain_s`, 
`least_drain.py`), 
authorisations, 
criteria (sets of them in `criteria_set.py`, 
what no portal is charged for in `not_charged.py`), 
and the tables and JSON that people bring (`csv_file.py`, 
`json_file.py`): 
read and checked, 
all problems at once; 
whether a portal may be sent requests now (`gate.py`) 
| pydantic, 
PyYAML |
| `client/` | one citizen's HTTP session: 
connections, 
phases, 
host policy ([client.md](client.md)) 
| gevent |
| `pages/` | an answer as a citizen's browser reads it: 
texts, 
elements, 
controls, 
forms, 
refreshes | selectolax |
| `profiles/` | the profile language: 
templates, 
functions, 
pools, 
expectations, 
walls, 
extraction, 
bodies; 
compiled once ([profiles.md](profiles.md)); 
`our_fault.py` is the error for what our own files lack | jmespath |
| `visits/` | one citizen walking: 
the visit's state, 
sending, 
steps, 
the portal's patience, 
synthetic people, 
receipts | |
| `load/` | arrivals, 
windows, 
rounds of lone citizens (`lone_rounds.py`) 
and make-up windows (`make_up.py`), 
what earlier attempts have left (`earlier_attempts.py`), 
what hours and dossiers leave of a round (`permitted_rounds.py`), 
the orders for each worker and the record of a round (`orders.py`), 
lone walks kept whole (`walk_keeper.py`), 
the numbers of all windows that a night may add to its plan (`further_windows.py`) 
and of visits for pools (`serials.py`), 
Locust master and workers, 
which workers are admitted (`admission.py`), 
a master that outlasts its workers (`lasting_master.py`), 
the lease as a worker holds it (`lease.py`), 
the ledgers that it keeps itself (`own_ledgers.py`), 
what the master knows of the rounds under way (`live_rounds.py`), 
safety stops, 
generator health, 
and the tab "Citizens" of Locust's page (`citizens_tab.py`, 
`tab/`) 
([load.md](load.md)) 
| Locust |
| `evidence/` | spool, 
its batches and which of them are refused (`batches.py`), 
Parquet, 
what servers say of their own time beside it (`timing_parts.py`), 
guard of the files, 
verdict of a window (`window_verdict.py`) 
and of a run (`verdict.py`), 
the doubt of our own path (`path_doubt.py`) 
([evidence.md](evidence.md)) 
| pyarrow |
| `scoring/` | rows and criteria in, 
scorecards out: 
the median window and the mean of windows, 
availability round the clock (`round_the_clock.py`), 
criteria that are unproven or not permitted, 
rank groups, 
the slowest visits (`slow_visits.py`) 
([scoring.md](scoring.md)) 
| numpy, 
pyarrow |
| `diagnosis/` | rows, 
facts and scorecard in, 
findings out: 
where the time goes, 
whether it grows with load, 
what stands out, 
and what the evidence cannot tell ([diagnosis.md](diagnosis.md)) 
| numpy, 
pyarrow |
| `publish/` | exports, 
the table of steps (`step_table.py`), 
report, 
the page of a sweep (`sweep_page.py`) 
and of a portal (`portal_page.py`, 
from series on the clock, 
`over_time.py`, 
and of steps, 
`step_times.py`; 
drawn by `clock_charts.py`, 
`step_charts.py` and `threshold_track.py` with `plain_svg.py`), 
the scoreboard as a picture (`picture.py`), 
scoreboard, 
tables and paragraphs for a terminal or a pipe (`terminal.py`), 
one portal's scorecard there (`printed_card.py`), 
how a sweep stands on one line (`live_words.py`), 
changes between sweeps in words (`changes.py`), 
push ([import.md](import.md)); 
the pages of `harness serve` (`site.py`), 
of a sweep under way (`live_page.py`, 
`event_stream.py`) 
and of points over sweeps (`trend.py`) 
| pandas, 
matplotlib, 
starlette |
| `operations/` | connects the rooms: 
run, 
sweep, 
walk, 
probe; 
the plan of a sweep (`sweep_plan.py`), 
when its rounds end (`timetable.py`) 
and how its load compares with usage (`times_usage.py`); 
checks before a run (`journeys.py`: 
does a class walk each journey; 
`provisions.py`: 
do pools, 
secrets and test identities suffice; 
`permitted_load.py` and `permitted_journeys.py`: 
does the authorisation cover load and journeys; 
`plan_summary.py`: 
what a plan says of terms and load; 
`dry_run.py`: 
the night that `--dry-run` prints); 
Locust's processes (`locust_process.py`; 
their options in `locust_options.py`, 
the plan that these make in `locust_plan.py`, 
the master in `locust_master.py`, 
a worker in `locust_worker.py`, 
and how they end early in `ending.py`); 
the fleet (`listening.py`: 
where the master listens; 
`worker_setup.py`: 
what each worker is compared by; 
`worker_figures.py`: 
what each worker did); 
`portal_diagnosis.py` and `explanation.py` (one portal's diagnosis, 
and the path from its rows to its points); 
`settlements.py` (what two persons settle); 
`resumption.py` (a sweep that goes on), 
`attempts.py` and `status.py`; 
how a sweep stands, 
once a second (`live_writer.py`); 
what a sweep led to (`sweep_result.py`); 
what a walk shows (`shown_steps.py`); 
`retention.py` (what may be removed of old sweeps); 
sub-folders `dossiers/` (withdraw, 
reconcile), 
`supplied/` (operators' figures, 
copies of availability histories), 
`calibration/`, 
`authoring/` (validate, 
draft, 
workload) 
| |
| `cli/` | the commands: 
options in, 
one operation, 
output; 
progress on stderr (`live_progress.py`), 
and what may come next (`next_steps.py`) 
| click |
| `scenario.py` | what a scenario's author imports: 
`from harness.scenario import Citizen, 
visit` | |
| `simulator/` | the embedded portals ([simulator.md](simulator.md)) 
| uvicorn |

Further contracts:

- `simulator/` is a process of its own, 
reached only over HTTP. It imports nothing of the above except `errors`, 
and no room imports it.
- `statistics/`, 
`scoring/` and `diagnosis/` are pure: 
no network and no Locust.
- Code inside a Locust process (`records/` to `load/`, 
`harness/operations/locust_process.py` and `harness/scenario.py`) 
imports neither pandas nor matplotlib.
  The import takes a second in which the worker serves no citizen.

| other folder | purpose |
|---|---|
| `scenarios/*.py` | journeys, 
as Locust files: 
which goals a citizen pursues, 
the same on every portal |
| `scenarios/platforms/` | how a family of portals does each step, 
as data; 
`_functions.py` holds typed functions for what data cannot say |
| `scenarios/walls/` | how firewalls, 
challenges, 
captchas and maintenance pages look, 
for all platforms, 
each rule with its source |
| `scenarios/portals/`, 
`workloads/`, 
`criteria/` | the portals, 
the number of citizens, 
the criteria (each set in all its versions) 
|
| `results/` | one folder for each sweep; 
the published schemas |
| `tests/` | mirrors `harness/` |
| `benches/` | figures beside other tools ([benchmarks.md](benchmarks.md)) 
|
| `deploy/` | an image, 
a fleet for compose, 
and units for systemd ([deploy.md](deploy.md)) 
|

An installed wheel contains `scenarios/` and `locust.conf`, 
and works outside a checkout.

## Processes

```
harness ──starts──▶ simulator          embedded portals, 
identity provider, 
payment gateway, 
control API (loopback, 
free ports)
   │
   └──starts──▶ Locust master ◀──rows, 
health──▶ Locust worker ×W ──requests──▶ portal
                 │  conductor, 
collector             │  agent: 
arrivals, 
citizens, 
outbox
                 │  spool → Parquet                  └─starts──▶ reference server of known delays
                 └─ plan.json, 
rounds/
```

1. `harness` makes a plan from a workload and portals: 
rounds of slots, 
where a slot is one portal's consecutive windows. It checks that the catalog, 
the
   scenarios and our own files hold what the plan needs, 
and writes the plan to `plan.json` before anything is sent.
2. In round 0 one citizen walks each journey of each portal alone. What this citizen meets decides which journeys are loaded, 
also after two more tries
   ([load.md](load.md#windows-rounds-sweeps)).
3. For each loaded round the master's conductor draws each slot's schedule from the seed, 
measures the workers' clocks, 
and sends every worker its slice and a
   common start. Arrival *k* goes to worker *k mod W*.
4. The worker's agent starts each citizen on time, 
in a separate greenlet. Each request leaves a row in the outbox. Numbered batches go to
   the master's collector, 
and the worker keeps them until the collector acknowledges them.
5. After the last arrival the worker drains, 
sends its last batch and the number of batches. Then the round is sealed: 
its rows become Parquet, 
and its
   record is final. Meanwhile portals on other machines begin: 
conductor, 
collector and agent tell the rounds under way apart by their tokens.
6. If the sweep is cut off, 
`harness resume` measures the rounds of the same plan that are missing or were left half done. The journal lists each attempt.
7. At the end of the night windows that were void, 
missed, 
lost to a shared host or measured over a doubted path are measured again, 
if the workload has spare rounds.
8. `harness/evidence/window_verdict.py` and `verdict.py` judge each window and run, 
`scoring/` turns the rows of valid windows into points, 
and `publish/` writes them down.

`locust -f scenarios/` uses the same machinery. There the options `--portal` and `--workload` make the plan.

The [glossary](glossary.md) 
defines the words, 
and [decisions/](decisions/) 
records contested choices. To change something, 
start with
[CONTRIBUTING.md](../CONTRIBUTING.md).
