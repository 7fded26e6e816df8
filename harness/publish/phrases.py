"""Every phrase of exports, scoreboard and report, by key, in Vietnamese and English."""

from __future__ import annotations

from typing import Final, NamedTuple


class Phrase(NamedTuple):
    """One text in Vietnamese and in English."""

    vi: str
    en: str

    def into(self, language: str) -> str:
        """The text in one language: ``vi``, or English for any other."""
        return self.vi if language == "vi" else self.en


PHRASES: Final[dict[str, Phrase]] = {
    # Verdicts and states
    "verdict.valid": Phrase("hợp lệ", "valid"),
    "verdict.insufficient": Phrase("chưa đủ số liệu", "insufficient"),
    "verdict.blocked": Phrase("bị từ chối", "blocked"),
    "verdict.unreachable": Phrase("không kết nối được", "unreachable"),
    "verdict.void": Phrase("phép đo hỏng", "void"),
    "verdict.valid.means": Phrase(
        "Đủ số liệu và máy đo hoạt động đúng: được chấm điểm.",
        "Enough data, and the generator was healthy: it is scored.",
    ),
    "verdict.insufficient.means": Phrase(
        "Ít cửa sổ đo hoặc ít bước hơn bộ tiêu chí yêu cầu: không chấm điểm.",
        "Fewer windows or steps than the criteria set asks for: not scored.",
    ),
    "verdict.blocked.means": Phrase(
        "Hệ thống từ chối cả một công dân đơn lẻ: không chấm điểm, và không phải là điểm 0.",
        "Even a lone citizen is refused: not scored, which is not zero points.",
    ),
    "verdict.unreachable.means": Phrase(
        "Không thiết lập được kết nối: không chấm điểm, và không phải là điểm 0.",
        "No connection could be made: not scored, which is not zero points.",
    ),
    "verdict.void.means": Phrase(
        "Lỗi thuộc về máy đo, không thuộc về hệ thống được đo: phải đo lại.",
        "The fault is the generator's, not the portal's: measure again.",
    ),
    "state.assessed": Phrase("đã đánh giá", "assessed"),
    "state.not_assessed": Phrase("không đánh giá", "not assessed"),
    "basis.official": Phrase("chính thức", "official"),
    "basis.borrowed": Phrase("mượn từ văn bản khác", "borrowed"),
    "basis.assumed": Phrase("giả định", "assumed"),
    "level.ministry": Phrase("bộ, ngành", "ministry"),
    "level.province": Phrase("tỉnh, thành phố", "province"),
    # Headings of Circular 22/2019/TT-BTTTT, Art. 7, and ours
    "heading.average_response": Phrase("Thời gian phản hồi trung bình", "Average response time"),
    "heading.slowest_response": Phrase("Thời gian phản hồi chậm nhất", "Slowest response time"),
    "heading.server_efficiency": Phrase("Hiệu suất máy chủ cơ sở dữ liệu và ứng dụng", "Efficiency of database and application servers"),
    "heading.concurrent_use": Phrase("Truy cập và sử dụng đồng thời", "Concurrent access and use"),
    "heading.continuous_operation": Phrase("Hoạt động liên tục", "Continuous operation"),
    "heading.correctness": Phrase("Tính đúng đắn", "Correctness"),
    "level.sample": Phrase("cổng mẫu", "sample portal"),
    # Outcomes of rows
    "outcome.ok": Phrase("thành công", "ok"),
    "outcome.http_error": Phrase("lỗi HTTP", "HTTP error"),
    "outcome.wrong_content": Phrase("nội dung sai", "wrong content"),
    "outcome.extraction": Phrase("thiếu dữ liệu", "value missing"),
    "outcome.timeout": Phrase("quá thời hạn", "timeout"),
    "outcome.connect": Phrase("không kết nối", "no connection"),
    "outcome.dns": Phrase("lỗi DNS", "DNS error"),
    "outcome.tls": Phrase("lỗi TLS", "TLS error"),
    "outcome.reset": Phrase("ngắt kết nối", "reset"),
    "outcome.protocol": Phrase("máy khách không đọc được", "our client could not parse"),
    "outcome.left_allowed_hosts": Phrase("ra ngoài máy chủ cho phép", "left allowed hosts"),
    "outcome.blocked": Phrase("bị chặn", "blocked"),
    "outcome.not_served": Phrase("không được phục vụ", "not served"),
    "outcome.dropped": Phrase("máy đo không gửi được", "generator could not send"),
    "outcome.skipped": Phrase("bỏ qua", "skipped"),
    "outcome.aborted": Phrase("bị cắt ngang", "aborted"),
    # Journeys, goals, steps, owners
    "journey.search": Phrase("Tra cứu", "Search"),
    "journey.submit": Phrase("Nộp hồ sơ", "Submit"),
    "journey.pay": Phrase("Thanh toán", "Pay"),
    "step.search": Phrase("tìm kiếm", "search"),
    "step.open_procedure": Phrase("mở thủ tục", "open procedure"),
    "step.hand_over": Phrase("chuyển sang máy chủ khác", "hand over"),
    "step.log_in": Phrase("đăng nhập", "log in"),
    "step.start_dossier": Phrase("tạo hồ sơ", "start dossier"),
    "step.fill_in": Phrase("điền thông tin", "fill in"),
    "step.attach": Phrase("đính kèm", "attach"),
    "step.quote_fee": Phrase("xem phí", "quote fee"),
    "step.pay": Phrase("thanh toán", "pay"),
    "step.confirm_payment": Phrase("xác nhận thanh toán", "confirm payment"),
    "step.submit": Phrase("nộp", "submit"),
    "step.track": Phrase("tra cứu hồ sơ", "track"),
    "step.withdraw": Phrase("rút hồ sơ", "withdraw"),
    "owner.portal": Phrase("hệ thống được đo", "the portal"),
    "owner.identity": Phrase("định danh (VNeID)", "identity (VNeID)"),
    "owner.payment": Phrase("nền tảng thanh toán", "payment platform"),
    "owner.assets": Phrase("tài nguyên tĩnh dùng chung", "shared assets"),
    # The scoreboard
    "board.title": Phrase("Bảng điểm nhóm hiệu năng", "Performance scoreboard"),
    "board.rank": Phrase("Hạng", "Rank"),
    "board.portal": Phrase("Hệ thống", "Portal"),
    "board.points": Phrase("Điểm", "Points"),
    "board.interval": Phrase("Khoảng tin cậy", "Interval"),
    "board.assessed": Phrase("Trên tối đa đã đánh giá", "Out of assessed"),
    "board.verdict": Phrase("Kết luận", "Verdict"),
    "board.worst": Phrase("Tiêu chí mất điểm nhiều nhất", "Most points lost on"),
    "board.no_points": Phrase("không có điểm", "no points"),
    "note.provisional": Phrase(
        "TẠM THỜI: điểm và ngưỡng bên trong nhóm hiệu năng là giả định hoặc mượn, chưa phải phụ lục chính thức.",
        "PROVISIONAL: points and thresholds inside the performance group are assumed or borrowed, not the official annex.",
    ),
    "note.shortened": Phrase(
        "RÚT NGẮN: cửa sổ đo ngắn hơn quy định; kết quả chỉ để trình diễn, không dùng để chấm điểm.",
        "SHORTENED: windows are shorter than the rules ask for; for demonstration, not for scoring.",
    ),
    "tag.provisional": Phrase("TẠM THỜI", "PROVISIONAL"),
    "tag.shortened": Phrase("RÚT NGẮN", "SHORTENED"),
    # Pages over several sweeps
    "index.title": Phrase("Các đợt đo", "Sweeps"),
    "index.nights": Phrase("Bảng điểm qua các đêm", "Scoreboard over nights"),
    "index.none": Phrase("Chưa có đợt đo nào được công bố ở đây.", "No sweep has been published here yet."),
    "index.files": Phrase("Tệp", "Files"),
    "index.portals": Phrase("Hệ thống có điểm", "Portals with points"),
    "index.unreadable": Phrase("Không đọc được phiếu điểm", "Scores cannot be read"),
    "index.report": Phrase("báo cáo", "report"),
    "index.trend": Phrase("Diễn biến", "Trend"),
    "index.sets_apart": Phrase(
        "Điểm theo các bộ tiêu chí khác nhau không so sánh được với nhau, nên đứng trong các bảng riêng.",
        "Points under different criteria sets cannot be compared, so they stand in tables of their own.",
    ),
    "index.not_measured": Phrase("không đo", "not measured"),
    # Charts
    "chart.points": Phrase("điểm; vạch xám: tối đa đã đánh giá", "points; grey mark: assessed maximum"),
    "chart.steps": Phrase("Thời gian của từng bước", "Time of each step"),
    "chart.steps.caption": Phrase(
        "Các bước thành công, phân vị chính xác, thang log. Bước thất bại không nằm trong dải mà được nêu riêng bên phải.",
        "Steps that succeeded, exact percentiles, log scale. Failed steps are not in the strips; their share stands at the right.",
    ),
    "chart.failed": Phrase("thất bại", "failed"),
    "chart.windows": Phrase("Chỉ số theo từng cửa sổ đo", "Metric per window"),
    "chart.windows.caption": Phrase(
        "Điểm đặc là cửa sổ trung vị, nơi tính điểm; tam giác đỏ: vượt quá thời hạn, không có số đo.",
        "The filled dot is the median window, from which points follow; a red triangle lies beyond the timeout and has no number.",
    ),
    "chart.visits": Phrase("Lượt đến và lượt được phục vụ", "Arrivals and visits served"),
    "chart.visits.caption": Phrase(
        "Đường đen: công dân theo kế hoạch; nền xanh: lượt kết thúc với mọi mục tiêu đạt được.",
        "Black line: citizens as planned; blue: visits that ended with every goal reached.",
    ),
    "chart.arrivals": Phrase("đến theo kế hoạch", "planned arrivals"),
    "chart.served": Phrase("hoàn tất tốt", "ended well"),
    "chart.visits_per_s": Phrase("lượt/giây", "visits/s"),
    "chart.outcomes": Phrase("Kết quả các yêu cầu theo thời gian", "Outcomes of requests over time"),
    "chart.outcomes.caption": Phrase(
        "Yêu cầu kết thúc trong mỗi giây, chồng theo kết quả.", "Requests that ended in each second, stacked by outcome."
    ),
    "chart.requests_per_s": Phrase("yêu cầu/giây", "requests/s"),
    "chart.window": Phrase("cửa sổ đo", "window"),
    "chart.window_axis": Phrase("cửa sổ đo, kể cả lúc chờ kết thúc; mỗi cột {} giây", "window, its drain included; {} s a column"),
    "chart.health": Phrase("Tình trạng máy đo", "Health of the generator"),
    "chart.health.caption": Phrase(
        "Mỗi chỉ số theo phần trăm giới hạn của nó; vượt vạch đỏ thì cửa sổ bị loại.",
        "Each figure as a share of its limit; beyond the red line a window is void.",
    ),
    "chart.of_limit": Phrase("so với giới hạn", "of the limit"),
    "chart.scoreboard.caption": Phrase(
        "Vạch mảnh trên mỗi thanh là khoảng tin cậy của điểm; vạch xám là điểm tối đa của các tiêu chí đã đánh giá.",
        "The thin bar is the interval of the points; the grey mark is the most that the assessed criteria could give.",
    ),
    "health.cpu_percent": Phrase("CPU", "CPU"),
    "health.lag_max_us": Phrase("trễ lập lịch lớn nhất", "largest scheduler lag"),
    "health.late_max_us": Phrase("trễ lượt đến lớn nhất", "largest arrival lateness"),
    "health.gc_max_us": Phrase("dọn bộ nhớ lâu nhất", "longest GC pause"),
    "health.steal_percent": Phrase("CPU bị lấy mất", "CPU steal"),
    "health.lag_p99_us": Phrase("trễ lập lịch p99", "scheduler lag p99"),
    "health.late_p99_us": Phrase("trễ lượt đến p99", "arrival lateness p99"),
    "health.reference_error_us": Phrase("sai số đối chứng", "reference error"),
    "board.ranked_on": Phrase(
        "Xếp hạng chỉ trên {} tiêu chí được đánh giá ở mọi hệ thống (tối đa {} điểm); hạng là khoảng mà các khoảng tin cậy để ngỏ.",
        "Ranked only on the {} criteria that are assessed for every ranked portal (at most {} points); a rank is the range that the intervals leave open.",
    ),
    # The report
    "report.points": Phrase("điểm", "points"),
    "report.sweep": Phrase("Đợt đo", "Sweep"),
    "report.nights": Phrase("Đêm", "Nights"),
    "report.criteria_set": Phrase("Bộ tiêu chí", "Criteria set"),
    "report.revision": Phrase("Bản", "Revision"),
    "report.supersedes": Phrase("thay cho bản", "supersedes"),
    "report.overview": Phrase("Tổng quan", "Overview"),
    "report.board": Phrase("Bảng điểm", "Scoreboard"),
    "report.portals": Phrase("Từng hệ thống", "Portal by portal"),
    "report.window": Phrase("Cửa sổ đo", "Window"),
    "report.criteria": Phrase("Tiêu chí đã đánh giá", "Criteria assessed"),
    "report.criterion": Phrase("Tiêu chí", "Criterion"),
    "report.value": Phrase("Giá trị", "Value"),
    "report.windows_n": Phrase("Số cửa sổ", "Windows"),
    "report.curve": Phrase("Chỉ số và cách tính điểm", "Metric and curve"),
    "report.basis_column": Phrase("Căn cứ", "Basis"),
    "report.censored": Phrase("vượt thời hạn hoặc thất bại", "timed out or failed"),
    "report.of_successes": Phrase("chỉ bước thành công:", "successes alone:"),
    "report.selection": Phrase("Chỉ số, cách tính điểm, phạm vi", "Metric, curve, selection"),
    "report.sources": Phrase("Bộ tiêu chí và nguồn của các con số", "The criteria and the sources of their numbers"),
    "report.not_assessed": Phrase("Không đánh giá", "Not assessed"),
    "report.steps": Phrase("Các bước, tính bằng giây", "Steps, in seconds"),
    "report.step": Phrase("Bước", "Step"),
    "report.p95_adjusted": Phrase("p95 kể cả thất bại", "p95 with failures"),
    "report.steps.means": Phrase(
        "Phân vị chính xác của các bước thành công; cột cuối tính mỗi thất bại là chậm vô hạn (∞).",
        "Exact percentiles of the steps that succeeded; the last column counts each failure as infinitely slow (∞).",
    ),
    "report.hosts": Phrase("Thời gian ở các máy chủ dùng chung", "Time at shared hosts"),
    "report.host": Phrase("Máy chủ", "Host"),
    "report.requests": Phrase("Yêu cầu", "Requests"),
    "report.share_of_waiting": Phrase("Phần thời gian chờ", "Share of waiting"),
    "report.hosts.means": Phrase(
        "Được báo cáo, không tính vào hệ thống được đo, trừ khi bộ tiêu chí quy định khác.",
        "Reported, and not charged to the portal unless the criteria set says otherwise.",
    ),
    "report.evidence": Phrase("Bằng chứng (SHA-256)", "Evidence (SHA-256)"),
    "report.claims": Phrase("Hồ sơ và thanh toán để lại ở cổng", "Dossiers and payments left at the portals"),
    "claims.dossiers": Phrase("Hồ sơ đã nộp", "Dossiers filed"),
    "claims.counted_dossiers": Phrase("Cổng đếm được", "Counted there"),
    "claims.payments": Phrase("Thanh toán đã xác nhận", "Payments confirmed"),
    "claims.counted_payments": Phrase("Cổng đếm được", "Counted there"),
    "claims.duplicates": Phrase("Mã hồ sơ bị trùng", "Codes given twice"),
    "claims.lost": Phrase("Đã tiếp nhận nhưng không tra được", "Acknowledged, not found again"),
    "claims.means": Phrase(
        "Số hồ sơ và thanh toán là số bước nộp và bước xác nhận thanh toán kết thúc tốt trong các mẫu đo; bên cạnh là số mà chính cổng đếm được, nếu hỏi được.",
        "Dossiers and payments are the submit and confirm_payment steps that ended well in the samples; beside them what the portal itself counted, where it can be asked.",
    ),
    "report.method": Phrase("Đã đo như thế nào", "How it was measured"),
    "report.manifest": Phrase("Bản kê của đợt đo", "The sweep's manifest"),
    "report.zero_round_trip": Phrase("Điểm khi độ trễ mạng bằng 0", "Points at zero round trip"),
    "report.zero_round_trip.means": Phrase(
        "Độ trễ mạng không bao giờ bị trừ khỏi điểm; cột này chỉ cho biết điểm sẽ là bao nhiêu nếu không có nó.",
        "The round trip is never subtracted from the points; this column only says what they would be without it.",
    ),
    "report.basis": Phrase("Căn cứ của mỗi con số:", "The basis of each number:"),
    "basis.official.means": Phrase("đọc trong văn bản có tên;", "read in a named act or a named report of it;"),
    "basis.borrowed.means": Phrase("chính thức, nhưng viết cho đối tượng khác;", "official, but written for another object;"),
    "basis.assumed.means": Phrase("của chúng tôi.", "ours."),
    "method.failures": Phrase(
        "Một bước thất bại được tính là chậm vô hạn trong các phân vị; lỗi nhanh không bao giờ làm đẹp kết quả.",
        "A step that fails counts as infinitely slow in percentiles: a fast error never flatters a portal.",
    ),
    "method.median": Phrase(
        "Mỗi chỉ số được tính riêng cho từng cửa sổ đo; điểm lấy từ cửa sổ trung vị.",
        "Each metric is computed per window; points follow from the median window.",
    ),
    "method.interval": Phrase(
        "Khoảng tin cậy theo kiểm định dấu trên ít nhất sáu cửa sổ hợp lệ của các vòng hoặc đêm khác nhau; các mẫu trong một cửa sổ không độc lập.",
        "Intervals follow the sign test over at least six valid windows of different rounds or nights; samples within a window are not independent.",
    ),
    "method.shared": Phrase(
        "Các hệ thống được đo xen kẽ theo vòng, nên giờ trong đêm và nền tảng dùng chung không thiên vị hệ thống nào.",
        "Portals take turns in rounds, so that neither the hour nor a shared platform favours one of them.",
    ),
    "method.round_trip": Phrase(
        "Thời gian kể từ lúc công dân lẽ ra phải bắt đầu, không phải từ lúc máy đo rảnh để gửi.",
        "Times count from when the citizen should have begun, not from when the generator was free to send.",
    ),
    "method.blame": Phrase(
        "Lỗi của máy đo làm hỏng cửa sổ đo; lỗi của hệ thống bị trừ điểm chứ không được bỏ qua.",
        "A fault of the generator voids the window; a fault of the portal costs points and is not excused.",
    ),
    "because.no_windows_of_stage": Phrase(
        "kịch bản tải không có giai đoạn mà tiêu chí này cần", "the workload has no stage of the kind that this criterion needs"
    ),
    "because.not_measured": Phrase("các bước của tiêu chí này không được đo", "the steps that this criterion looks at were not measured"),
    "because.too_few_windows": Phrase("ít cửa sổ đo hơn bộ tiêu chí yêu cầu", "fewer windows than the criteria set asks for"),
    "because.too_few_nights": Phrase("ít đêm đo hơn bộ tiêu chí yêu cầu", "fewer nights than the criteria set asks for"),
    "because.verdict": Phrase("lần đo không hợp lệ", "the run is not valid"),
    "because.no_operator_figures": Phrase("đơn vị vận hành chưa cung cấp số liệu máy chủ", "the operator supplied no server figures"),
    "interval.sign test over windows": Phrase("kiểm định dấu giữa các cửa sổ", "sign test over windows"),
    "interval.sign test over windows, not all of different rounds": Phrase(
        "kiểm định dấu giữa các cửa sổ, không phải cửa sổ nào cũng thuộc vòng khác nhau",
        "sign test over windows, not all of different rounds",
    ),
    "interval.sign test over sums of the same windows": Phrase(
        "kiểm định dấu trên tổng điểm của cùng các cửa sổ", "sign test over sums of the same windows"
    ),
    "interval.ends of the criteria's intervals added": Phrase(
        "cộng các đầu mút khoảng của từng tiêu chí", "ends of the criteria's intervals added"
    ),
    "interval.block, one window": Phrase("khoảng theo khối trong một cửa sổ", "block interval within one window"),
    "interval.last level passed to first level failed": Phrase(
        "từ mức cuối cùng đạt đến mức đầu tiên không đạt", "last level passed to first level failed"
    ),
    "interval.no level failed": Phrase("không có mức tải nào thất bại", "no level failed"),
}
