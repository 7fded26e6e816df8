"""What may go wrong at a portal, in Vietnamese and English: the names that the shipped profiles give their rules, and ours."""

from __future__ import annotations

from typing import Final

from harness.publish.phrase import Phrase

FAULT_PHRASES: Final[dict[str, Phrase]] = {
    "faults.title": Phrase("Điều gì đã sai, gọi đúng tên", "What went wrong, as what it is"),
    "faults.none": Phrase(
        "Không có bước nào thất bại, không mã nào bị trùng hay bị mất.", "No step failed, no code was given twice or lost."
    ),
    "faults.fault": Phrase("Điều đã sai", "What went wrong"),
    "faults.outcome": Phrase("Kết quả ghi nhận", "Recorded as"),
    "faults.count": Phrase("Số lần", "Count"),
    "faults.share": Phrase("Tỷ lệ", "Share"),
    "faults.page": Phrase("Trang đã lưu", "Page saved"),
    "faults.open": Phrase("xem", "open"),
    "faults.of": Phrase("trên", "of"),
    "faults.means": Phrase(
        "Tính trên mọi cửa sổ đo, kể cả khởi động và lượt đi của công dân đơn lẻ. Tỷ lệ so với số lần bước đó được bắt đầu; mã trùng và mã mất so với số hồ sơ đã nộp. Trang đã lưu mở trong khung cách ly: không chạy mã, không gửi yêu cầu nào.",
        "Over all windows, the warm-up and the lone citizen's walk included. Shares are of how often the step was begun; codes given twice or lost, of the dossiers filed. A saved page opens in a frame where it runs nothing and asks nobody for anything.",
    ),
    "fault.code_given_twice": Phrase("Một mã hồ sơ cấp cho nhiều công dân", "One dossier code given to several citizens"),
    "fault.acknowledged_not_found": Phrase(
        "Hồ sơ đã được cấp mã tiếp nhận nhưng sau đó không tra được", "Dossiers acknowledged with a code that could not be found afterwards"
    ),
    "fault.turned_away": Phrase(
        "Lượt không được phục vụ: vượt trần công dân đồng thời hoặc đã dừng tải vì an toàn",
        "Visits not served: beyond the ceiling of citizens at once, or after a safety stop",
    ),
    # What profiles call their rules (`means`)
    "fault.accepted_without_effect": Phrase(
        "Trả lời như đã tiếp nhận nhưng không lưu gì (mã bảo vệ sai được đáp giống hệt mã đúng)",
        "Answered as if accepted, and nothing was stored (a wrong token is answered like a right one)",
    ),
    "fault.acknowledged_not_stored": Phrase(
        "Đã tiếp nhận và cấp mã, nhưng hồ sơ không được lưu", "Acknowledged with a code, but the dossier was never stored"
    ),
    "fault.callback_lost": Phrase(
        "Đã trả tiền nhưng cổng không bao giờ nhận được xác nhận thanh toán",
        "Paid, but the payment's confirmation never reached the portal",
    ),
    "fault.payment_failed": Phrase("Thanh toán không thành công", "The payment failed"),
    "fault.gateway_refused": Phrase("Không khởi tạo được giao dịch thanh toán", "The payment platform refused the transaction"),
    "fault.submission_rejected": Phrase(
        "Mã 200 nhưng nội dung là từ chối tiếp nhận hồ sơ", "Status 200, but the page says that the dossier is rejected"
    ),
    "fault.session_expired": Phrase("Phiên làm việc hết hạn giữa chừng", "The session expired midway"),
    "fault.session_or_token_expired": Phrase(
        "Phiên làm việc hoặc mã bảo vệ của trang hết hạn giữa chừng", "The session or the page's token expired midway"
    ),
    "fault.csrf_token_refused": Phrase("Mã bảo vệ (CSRF) bị từ chối", "The CSRF token was refused"),
    "fault.captcha_token_refused": Phrase("Mã captcha bị từ chối", "The captcha token was refused"),
    "fault.handover_refused": Phrase("Máy chủ nhận không chấp nhận vé chuyển tiếp", "The other host refused the hand-over"),
    "fault.filing_lost": Phrase("Phiên nộp hồ sơ bị mất giữa chừng", "The filing was lost midway"),
    "fault.started_again": Phrase("Bị đưa về đầu quy trình nộp hồ sơ", "Sent back to the beginning of the filing"),
    "fault.form_refused": Phrase("Biểu mẫu điền đúng nhưng bị từ chối", "A form that was filled in rightly was refused"),
    "fault.login_refused": Phrase("Đăng nhập bị từ chối", "The login was refused"),
    "fault.nothing_found": Phrase("Tra cứu thủ tục có thật mà không ra kết quả", "A search for what exists found nothing"),
    "fault.refused": Phrase("Yêu cầu bị từ chối trong nội dung trả lời", "The answer's content refuses the request"),
    "fault.firewall": Phrase("Bị tường lửa chặn", "Refused by a firewall"),
    "fault.captcha": Phrase("Bị chặn bởi captcha", "Stopped by a captcha"),
    "fault.maintenance": Phrase("Trang bảo trì", "A maintenance page"),
    # Where a profile gives the rule no name
    "fault.http_error": Phrase("Mã trạng thái HTTP báo lỗi", "An HTTP status that says it failed"),
    "fault.wrong_content": Phrase("Nội dung không đúng như phải có", "The content is not what it has to be"),
    "fault.extraction": Phrase("Trang thiếu giá trị mà bước sau cần", "The page lacks a value that the next request needs"),
    "fault.timeout": Phrase("Không trả lời xong trong thời hạn", "No whole answer in time"),
    "fault.connect": Phrase("Không thiết lập được kết nối", "No connection could be made"),
    "fault.dns": Phrase("Không phân giải được tên máy chủ", "The host's name could not be resolved"),
    "fault.tls": Phrase("Không thiết lập được kết nối an toàn (TLS)", "No secure connection (TLS) could be made"),
    "fault.reset": Phrase("Kết nối bị ngắt giữa chừng", "The connection was cut midway"),
    "fault.protocol": Phrase("Phản hồi không đọc được theo giao thức HTTP", "An answer that is no readable HTTP, to other clients neither"),
    "fault.left_allowed_hosts": Phrase("Dẫn sang máy chủ không được phép", "Led to a host that is not allowed"),
    "fault.blocked": Phrase("Bị từ chối (tường lửa, captcha, bảo trì)", "Refused (firewall, captcha, maintenance)"),
    "fault.not_served": Phrase("Quá tải: không phục vụ (429 hoặc 503)", "Overloaded: not served (429 or 503)"),
}
