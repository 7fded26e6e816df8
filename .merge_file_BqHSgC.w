# Glossary

Code, 
reports and these pages use one word for one thing. The Vietnamese words are those that reports print, 
if a report names the thing.

## What is measured

| word | what it means here | in Vietnamese |
|---|---|---|
| portal | one evaluated system, 
of a ministry or a province | hệ thống / cổng dịch vụ công |
| platform | a family of portals that share pages and APIs | nền tảng |
| journey | what a citizen comes to do: 
search, 
submit, 
pay | hành trình |
| goal | a part of a journey, 
the same on every portal: 
find, 
file, 
pay, 
track | mục tiêu |
| step | one named action within a goal, 
one or more requests. It begins when it is due: 
at the intended arrival, 
or, 
if the visit has had an answer, 
at the end of its last answer plus the drawn think time. It ends with the last byte of its last request. **The scored unit** | bước |
| visit | one citizen walking one journey once | lượt |
| attempt (of a step) 
| how often a visit has begun a step, 
from 1; 
the column `attempt` of the rows | – |
| profile | how a platform's steps are done, 
as data ([profiles.md](profiles.md)) 
| bản mô tả hệ thống |
| waiting (of a visit) 
| the time of all its steps, 
think times left out; 
pages show the median of visits that ended well | thời gian chờ của một lượt |
| section (of a window) 
| one of the equal parts of a window, 
each with about 12 planned visits or more (a short window is one section); 
each section is a mark on the charts over time | – |
| lone citizen | one citizen alone at a portal, 
without load. This citizen walks each journey before it is loaded (a lone walk) 
| một người dùng duy nhất; 
lượt đơn lẻ |
| wall | a firewall, 
a challenge, 
a captcha or a maintenance page in front of a portal; 
a rule recognises it ([profiles.md](profiles.md#walls)) 
| tường chắn |
| host owner | the owner of the machine that a request goes to: 
the portal, 
or a host that portals share (identity, 
payment, 
assets) 
| chủ máy chủ |

## How it is measured

| word | what it means here | in Vietnamese |
|---|---|---|
| workload | the number of citizens, 
their journeys, 
and the stages | kịch bản tải |
| stage | a period with one load level: 
warm-up, 
typical, 
peak, 
ramp, 
soak | giai đoạn |
| window | at least 60 s of one stage against one portal. **The unit of replication**: 
statistics count windows, 
not requests | khung thời gian đo |
| patience | the time that a portal's answers to one visit may take in all (`patience_s`). Where it ends, 
the step is a `timeout` of the portal | thời gian chờ tối đa của một lượt |
| server timing | what a server says of its own time in the `Server-Timing` of an answer, 
metric by metric; 
kept beside the rows ([evidence.md](evidence.md#server-timing)) 
| thời gian xử lý do máy chủ tự báo |
| trace | the requests of one visit to the portal's own hosts, 
under one id that the operator's tracing keeps (`traceparent`) 
([load.md](load.md#traces)) 
| mã truy vết |
| probe | one citizen who searches once on a portal, 
without load, 
by day or by night | lượt thăm dò |
| prober | a process of `harness probe` | – |
| turn (of probes) 
| one probe of each portal, 
at a moment drawn at random within its interval | lần thăm dò |
| availability history | the list of all probes of one portal, 
over all nights and days; 
each line has the digest of the line before | lịch sử thăm dò |
| drain | the time after the last arrival of a round in which visits in progress go on, 
at most `drain_s`; 
portals on other machines begin meanwhile | lúc chờ kết thúc |
| under way | of a part: 
the time from its orders until it is drained, 
sealed and checked. During this time its portals count as loaded | đang thực hiện |
| make-up window | a window at the end of the night that replaces one that was void, 
missed, 
lost to a shared host or measured over a doubted path; 
scores play no part in choosing it | khung thời gian đo bù |
| doubted path | the network between us and the portals, 
at a time at which nearly all portals are slower than they usually are, 
or out of reach | đường truyền bị nghi ngờ |
| hosting group | portals that share machines, 
as their authorisations say (`hosting_group`); 
they are never loaded at the same time | – |
| shared host | a host that many portals use and none of them runs, 
such as the national login, 
as the criteria set lists it; 
its time and its failures are not charged | máy chủ dùng chung |
| round | every portal of a sweep once, 
one window each, 
in seeded random order; 
the warm-up is a round of its own | vòng |
| part | of a round: 
the portals that are measured at the same time | nhóm đo cùng lúc |
| slot | one portal's windows in one part of a round | lượt đo của một hệ thống |
| usage | the visits of each journey that real citizens make at a portal in a busy hour, 
by the portal's own figures (`daily`) 
or else by the workload's | – |
| timetable | the latest end of each round of a plan, 
and so the longest that the night may take | – |
| quota | the visits of a journey that one window needs so that its figures mean something; 
they come on top of real usage | số lượt tối thiểu |
| ceiling | the most citizens in flight at one portal, 
by the workload or the authorisation | số người đồng thời tối đa |
| master, 
worker | Locust's processes: 
the master leads the rounds and keeps what is measured, 
workers generate the citizens | máy chủ điều phối, 
tiến trình sinh tải |
| generator | master and workers with the machines that they run on; 
the reference that they measure included | bộ sinh tải |
| instrument | the generator with its client, 
profiles and tables: 
all that is ours | bộ đo |
| fleet | one master and its workers, 
on one machine or on several | cụm sinh tải |
| order | what the master tells one worker of a round before it begins: 
its arrivals, 
its share of the ceiling, 
and the start on the worker's clock | – |
| roll call | the master asks each new worker what it walks with; 
a worker that differs is refused | – |
| lease | the master's word to its workers, 
several times a second, 
that it is there; 
where it lapses, 
the load ends | – |
| lifeline | a pipe that only `harness` holds open; 
at its end Locust knows that `harness` is gone | – |
| batch | rows and acknowledgements that a worker sends to the master in one message | lô dữ liệu |
| spool | the batches of a round that is not sealed yet; 
sealing turns them into Parquet | – |
| ledger | what portals acknowledged: 
dossiers and payments, 
each with the visit that holds the receipt | sổ ghi nhận |
| run | the windows of one portal in one sweep | lần đo |
| sweep | one night: 
several rounds over many portals | đợt đo |
| night | from noon to noon by the clock of the measuring machine, 
named by the date on which it begins | ngày đo |
| attempt (at a sweep) 
| from the start of `harness sweep`, 
`run` or `resume` to its end or crash; 
a sweep that was resumed has several | lần chạy |
| live state | the progress of a sweep while it is measured, 
which the master writes to `live.json` about once a second; 
it is not evidence | tình hình đợt đo |
| journal | the list of a sweep's attempts: 
when each began and ended, 
and by which process | nhật ký đợt đo |
| half done | of a window or a part: 
the attempt at the sweep ended before the window or part did. What was measured is kept and void; 
the window is measured once more | dở dang |
| incomplete round | a round that a crash left open, 
sealed with what came until then. It is kept, 
never scored, 
and measured once more | vòng dở dang |
| sample | one request, 
kept as one row; 
each redirect hop is one too | mẫu |
| authorisation | the written permission to load one portal's hosts, 
with its limits; 
load and journeys that it does not cover are left out | văn bản cho phép |
| terms | what an authorisation says besides limits of the load: 
hours, 
journeys, 
source addresses, 
contact, 
statements on captcha and EMC, 
dossiers of a night | điều kiện cho phép |
| pool | a table beside a profile whose rows go to visits, 
for example accounts | bảng dữ liệu mẫu |
| calibration | a comparison of the instrument with known delays, 
which states its error | hiệu chuẩn |
| manifest | the circumstances of a run (versions, 
machine, 
catalog, 
seed, 
permission) 
and the digest of each file of its evidence | bản kê |
| rules | what is fixed before the first packet: 
plan, 
seed, 
criteria set, 
authorisations and the catalog's files, 
by digest | quy tắc công bố trước |
| chain | the digests of each sealed round's files, 
each link with the digest of the link before | chuỗi mã băm |
| seal | the signed list of a sweep's files, 
with their digests | niêm phong |
| addendum | a file that a command added to a sealed sweep, 
as a line chained to the seal | phần bổ sung |
| register | the list of all sweeps that were begun in a results folder, 
aborted ones included | sổ đăng ký đợt đo |
| kept walk | a lone walk as a file: 
every request and answer, 
without secrets | lượt đơn lẻ được lưu lại |
| guard | a check of one thing that would spoil a window; 
it passes only with data | phép kiểm soát chất lượng đo |

## What follows from it

| word | what it means here | in Vietnamese |
|---|---|---|
| outcome | how a row ended; 
everything but `ok` is a failure | kết quả |
| verdict | whether a run, 
or a window, 
is scored, 
with reasons: 
[below](#the-verdicts) 
| kết luận |
| blame | whose fault a failure is, 
the portal's or ours; 
it decides the verdict | lỗi thuộc về bên nào |
| address limit | a portal limits the load of our address: 
under load it refuses us, 
and right afterwards it serves a lone citizen | giới hạn theo địa chỉ |
| state | of a criterion: 
`assessed`, 
`not_assessed` or `unproven` | trạng thái |
| unproven | the state of a criterion that needs a journey no lone citizen got through. The portal is broken there, 
or our profile is out of date; 
nobody knows yet which | chưa xác nhận được |
| settlement | the decision of two persons, 
on the record, 
about an unproven journey (the portal's fault or our profile's) 
or an address limit (the portal's fault or not); 
`harness settle` | kết luận của hai người |
| criteria set | a versioned table of criteria, 
points, 
metrics and curves; 
`demo@1` names version 1 of the set `demo` | bộ tiêu chí |
| mean of windows | how criteria on shares (visits, 
payments) 
get points: 
each window gets points, 
and the mean of these counts. Criteria on times get the points of the median window | trung bình cộng điểm của các khung thời gian đo |
| scorecard | the points of one portal, 
with intervals and inputs | phiếu điểm |
| matrix | the points of every portal on every criterion, 
on the page of a sweep | bảng điểm |
| total, 
grade | the points of all groups of the evaluation together, 
and A to E by the criteria set | tổng điểm, 
loại |
| part of the server | what a portal's `Server-Timing` names, 
such as `db` or `app`, 
with the time that it took | thành phần (của máy chủ) 
|
| gain | the points that one change of one step would give, 
on a criterion and in all, 
found by scoring the changed steps again: 
[scoring.md](scoring.md#what-would-gain-most) 
| mức tăng điểm |
| basis | where a number comes from: 
official, 
borrowed or assumed | căn cứ |
| diagnosis | why a portal is slow or fails, 
in findings; 
it changes no points ([diagnosis.md](diagnosis.md)) 
| chẩn đoán |
| finding | one thing that the evidence shows or cannot show, 
with figures, 
share, 
remedy and sureness | nhận định |
| sureness (of a finding) 
| `measured`, 
`likely` or `cannot_tell` ([diagnosis.md](diagnosis.md)) 
| – |
| level (of load) 
| the factor by which a window's arrivals differ from those of level 1 (`level` in a workload); 
a diagnosis names it by the planned arrivals a second | mức tải |
| moment (of a diagnosis) 
| 5 s of a window; 
a moment can be slow although its window is not | – |
| revision | number of a sweep's scoring; 
a higher one supersedes the lower ones | lần chấm |
| zero point | of a curve: 
the value from which on it gives no points | ngưỡng 0 điểm |
| measured value | of a mean: 
the mean time of the successes, 
as it was measured. The scored value counts each success at most as the curve's zero point, 
and each failure at least as it | giá trị đo được |
| censored | a value beyond the timeout or behind a failure: 
it is large, 
but its size is unknown, 
so it is never given as a number | vượt thời hạn |

## The verdicts

Of a run:

| verdict | cause | points | in Vietnamese |
|---|---|---|---|
| valid | no fault, 
or faults of the portal, 
which are scored | yes | hợp lệ |
| insufficient | fewer windows or steps than the criteria set asks, 
or no journey that could be loaded, 
for reasons that nobody knows yet | none | chưa đủ số liệu |
| blocked | before any load a rule for walls refuses every lone citizen | none, 
which is not zero | bị từ chối |
| unreachable | before any load no lone citizen can connect | none, 
which is not zero | không kết nối được |
| void | every window is void, 
or our own files kept every journey from being loaded | none; 
measure again | phép đo hỏng |

A run may be *valid* although some criteria are *unproven*: 
these criteria have no points, 
which is not zero points, 
and the portal is not ranked. If two
persons settle that the portal is broken there, 
they get zero points.

Of a window: 
*valid*; 
*void*, 
by a fault of the generator or of our own files, 
or by a crash; 
*blocked*, 
by an address limit; 
or *insufficient*, 
where a shared host
took too many of its visits or the path was doubted. Only valid windows are scored.

## The outcomes

| outcome | how the row ended |
|---|---|
| `ok` | success |
| `http_error` | a status that the step does not accept |
| `wrong_content` | an accepted status, 
but the page says no |
| `extraction` | a value that the next request needs is missing from the answer |
| `timeout`, 
`connect`, 
`dns`, 
`tls`, 
`reset` | no complete answer; 
the word names the cause |
| `protocol` | neither our parser nor a second one could read the answer |
| `left_allowed_hosts` | a redirect to a host that is not allowed; 
it was not followed |
| `blocked` | refused by a wall |
| `not_served` | the portal could not take the request: 
turned away at the ceiling, 
or answered with 429 or 503 under load |
| `dropped` | not sent, 
because the generator could not or our own files lack something; 
or a rule with `blame: 
ours` held |
| `skipped` | not started, 
because an earlier step of the visit failed |
| `aborted` | cut off by us before it ended; 
the window is void |
