"""The text of every reason of a verdict, in Vietnamese and English."""

from __future__ import annotations

import re
from typing import Literal

from harness.evidence.facts import Reason

Language = Literal["vi", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    # The generator's fault: the window is void.
    "worker_lost": (
        "Mất tiến trình sinh tải trong khung thời gian đo; số liệu của khung thời gian đo này không dùng được. Cần kiểm tra máy chạy tiến trình đó và đo lại.",
        "A worker was lost during the window; its numbers cannot be used. Check the worker's machine and measure again.",
    ),
    "worker_silent": (
        "Tiến trình sinh tải không phản hồi quá lâu trong khung thời gian đo. Cần tìm máy bị treo hoặc quá tải.",
        "A worker was silent for too long during the window. Look for a suspended or overloaded machine.",
    ),
    "generator_saturated": (
        "Bộ sinh tải dùng hết năng lực bộ xử lý; độ trễ đo được có thể là của bộ sinh tải. Nếu chính bộ sinh tải dùng hết bộ xử lý, cần tăng số tiến trình sinh tải lên khoảng gấp đôi; nếu máy đo bận việc khác, cần chuyển việc đó sang máy khác.",
        "The generator ran out of processor time; its delays may look like the portal's. Add workers, about as many again, if it used the time itself; move other work off the machine if that took it.",
    ),
    "cpu_stolen": (
        "Máy chủ vật lý chiếm thời gian xử lý của máy ảo chạy bộ sinh tải. Cần dùng máy riêng.",
        "The generator's host took processor time away from it. Use a machine of its own.",
    ),
    "scheduler_lag": (
        "Bộ lập lịch của bộ sinh tải bị trễ. Nếu bộ sinh tải dùng nhiều bộ xử lý, cần thêm tiến trình sinh tải; nếu không, cần chuyển công việc khác sang máy khác.",
        "The generator's scheduler lagged. Add workers if the generator used much processor time; if not, move other work off the machine.",
    ),
    "late_arrivals": (
        "Công dân mô phỏng bắt đầu muộn so với lịch. Nếu bộ sinh tải dùng nhiều bộ xử lý, cần thêm tiến trình sinh tải; nếu không, cần chuyển công việc khác sang máy khác.",
        "Citizens were begun later than scheduled. Add workers if the generator used much processor time; if not, move other work off the machine.",
    ),
    "arrivals_dropped": (
        "Bộ sinh tải không gửi được một số lượt theo lịch. Nếu bộ sinh tải dùng nhiều bộ xử lý, cần thêm tiến trình sinh tải; nếu không, cần chuyển công việc khác sang máy khác.",
        "The generator could not send some scheduled visits. Add workers if the generator used much processor time; if not, move other work off the machine.",
    ),
    "beyond_authorisation": (
        "Tải vượt mức ghi trong văn bản cho phép; phép đo được dừng và khung thời gian đo bị loại. Cần dùng kịch bản tải nhỏ hơn hoặc đề nghị nâng mức cho phép.",
        "The load went beyond the rate that the authorisation names; it was stopped. Take a smaller workload, or have the rate raised.",
    ),
    "guard_without_data": (
        "Thiếu dữ liệu để một phép kiểm soát chất lượng đo kết luận; khung thời gian đo bị loại. Cần tìm tiến trình không gửi số liệu tình trạng, hoặc phép đo tham chiếu bị lỗi.",
        "A guard of the measurement had no data, so it did not pass. Look for a worker without health lines, or a reference that failed.",
    ),
    "gc_pause": (
        "Việc thu gom bộ nhớ của bộ sinh tải làm gián đoạn phép đo. Cần thêm tiến trình sinh tải.",
        "The generator's garbage collection interrupted the measurement. Add workers.",
    ),
    "reference_error": (
        "Phép đo tham chiếu nội bộ sai quá giới hạn. Cần giảm tải cho máy đo và hiệu chuẩn lại.",
        "The loopback reference was measured with too large an error. Free the generator's machine and calibrate again.",
    ),
    "clock_uncertain": (
        "Không đồng bộ được đồng hồ của tiến trình sinh tải. Cần dùng máy ở gần hơn.",
        "A worker's clock is not known well enough. Use a nearer machine.",
    ),
    "lease_lapsed": (
        "Tiến trình sinh tải mất liên lạc với máy chủ điều phối quá 1,5 giây nên đã tự ngừng tải. Cần giảm tải cho máy chủ điều phối, hoặc khắc phục đường mạng giữa hai bên.",
        "A worker heard nothing of its master for 1.5 s and ended its load. Free the master's machine, or mend the network between them.",
    ),
    "rows_lost": (
        "Thiếu dữ liệu mẫu: một số lô dữ liệu chưa về đến máy chủ điều phối. Cần kiểm tra đường mạng giữa các tiến trình sinh tải và máy chủ điều phối.",
        "Some batches of rows never reached the master. Check the network between workers and master.",
    ),
    "visits_unaccounted": (
        "Một số lượt theo lịch không có dòng kết thúc.",
        "Some planned visits have no end row.",
    ),
    "visits_cut_off": (
        "Bộ đo ngừng chờ một số lượt khi hệ thống chưa dùng hết thời gian dành cho mình; đây là lỗi của bộ đo, khung thời gian đo bị loại. Cần tăng thời gian chờ kết thúc của kịch bản tải.",
        "We stopped waiting for visits although the portal was within its patience. Raise `drain_s` of the workload.",
    ),
    "only_our_client_rejects": (
        "Bộ đo không đọc được phản hồi mà trình khách khác đọc được; cần làm rõ nguyên nhân ở bộ đo trước khi kết luận lỗi thuộc về hệ thống.",
        "Our client rejected answers as malformed; that is ours to explain before a portal is blamed.",
    ),
    "stopped_early": (
        "Đợt đo bị dừng giữa khung thời gian đo.",
        "The sweep was stopped in the middle of the window.",
    ),
    "interrupted": (
        "Đợt đo bị ngắt đột ngột trong khung thời gian đo này; phần đã đo được lưu lại nhưng không được chấm điểm, và khung thời gian đo được đo lại khi tiếp tục đợt đo.",
        "The sweep was cut off by a crash in this window; what was measured until then is kept and not scored. `harness resume` measures it once more.",
    ),
    "calibration_failed": (
        "Bộ đo không đạt khi hiệu chuẩn trên máy này. Cần chạy `harness calibrate` đến khi đạt, sau đó đo lại.",
        "The instrument failed its last calibration on this machine. Run `harness calibrate` until it passes, then measure again.",
    ),
    "our_own_files": (
        "Dữ liệu hoặc tệp cấu hình của bộ đo có lỗi nên không gửi được bước này; lỗi của bộ đo, không tính cho hệ thống. Cần sửa tệp được nêu và đo lại.",
        "A file of ours is at fault, so that a step could not be sent; the portal is not blamed. Mend what is named, and measure again.",
    ),
    "no_health": (
        "Không có số liệu về tình trạng của bộ sinh tải trong khung thời gian đo này.",
        "Nothing is known of the generator's health in this window.",
    ),
    # Runs.
    "all_windows_void": (
        "Mọi khung thời gian đo đều bị loại do lỗi của bộ sinh tải.",
        "Every window is void through the generator's fault.",
    ),
    "no_windows": (
        "Không có khung thời gian đo nào.",
        "No window was measured.",
    ),
    "closed_workload": (
        "Kịch bản tải đóng (số công dân cố định) che mất những lúc hệ thống ngừng đáp ứng; kết quả chỉ để tham khảo, không được chấm điểm.",
        "A closed workload (a fixed number of citizens) hides stalls; it is shown, not scored.",
    ),
    "lone_citizen_refused": (
        "Hệ thống từ chối truy cập ngay cả khi chỉ có một người dùng (tường lửa, captcha, trang bảo trì); không có điểm. Cần đề nghị đơn vị vận hành cho phép địa chỉ của bộ đo, sau đó đo lại.",
        "A lone citizen is refused too (firewall, captcha, maintenance page); there are no points. Ask the operator to let our address through, then measure again.",
    ),
    "lone_citizen_cannot_connect": (
        "Không kết nối được đến hệ thống ngay cả khi chỉ có một người dùng; không có điểm. Cần kiểm tra địa chỉ và đường truyền đến hệ thống, sau đó đo lại.",
        "A lone citizen cannot connect either; there are no points. Check the address and the network that leads there, then measure again.",
    ),
    "not_permitted": (
        "Văn bản cho phép không bao gồm tải này; tải này không được gửi và các tiêu chí cần tải này không được đánh giá. Cần đề nghị bổ sung văn bản cho phép; nếu hệ thống chạy trên chính máy đo thì nâng giới hạn trong danh mục riêng.",
        "The authorisation does not cover this load; it was left out, and the criteria that need it are not assessed. Have the permission extended; for a portal on your own machine, raise the limit in your catalog.",
    ),
    "journey_not_chosen": (
        "Người bắt đầu phép đo đã bỏ một hành trình nên kịch bản tải không được chạy đầy đủ; các tiêu chí cần hành trình này không được đánh giá. Cần đo lại với đủ các hành trình.",
        "Whoever started the test left out a journey, so the workload was not loaded whole; the criteria that need this journey are not assessed. Measure again with all journeys.",
    ),
    "outside_hours": (
        "Khung giờ trong văn bản cho phép không đủ nên hệ thống không được đo ở vòng này. Cần bắt đầu sớm hơn hoặc đề nghị kéo dài khung giờ.",
        "The hours that the authorisation permits were too short for this round; the portal was not measured in it. Begin earlier, or have longer hours permitted.",
    ),
    "left_out": (
        "Khi tiếp tục đợt đo, bộ đo không còn được phép, hoặc không đủ dữ liệu mẫu, để gửi tải đến hệ thống này; các khung thời gian đo còn thiếu không được đo.",
        "When the sweep was resumed, this portal could no longer be loaded (permission or test data); its missing windows were not measured.",
    ),
    "settlement_proposed": (
        "Một người đã đề nghị kết luận; cần người thứ hai xác nhận.",
        "A person has proposed a settlement; a second one has to confirm it.",
    ),
    "settled_as_portal": (
        "Hai người đã xác nhận lỗi thuộc về hệ thống; các tiêu chí của hành trình này được 0 điểm.",
        "Two persons found that the portal is broken there; the criteria of this journey get zero points.",
    ),
    "settled_as_profile": (
        "Hai người đã xác nhận bản mô tả hệ thống của bộ đo đã lạc hậu; hành trình này được đo lại.",
        "Two persons found that our profile was out of date; this journey is measured again.",
    ),
    "refusals_settled_as_portal": (
        "Hai người đã xác nhận việc từ chối khi có tải là lỗi của hệ thống, dù khi chỉ có một người dùng hệ thống vẫn phục vụ; các khung thời gian đo này được chấm điểm.",
        "Two persons found that the refusals under load are the portal's fault, although it served a lone citizen; these windows are scored.",
    ),
    "refusals_settled_as_address": (
        "Hai người đã xác nhận hệ thống giới hạn tải từ một địa chỉ; các khung thời gian đo này không được chấm điểm.",
        "Two persons found that the portal limits the load of one address; these windows are not scored.",
    ),
    "journey_unproven": (
        "Không lượt đơn lẻ nào đi hết hành trình: hệ thống hỏng ở bước này, hoặc bản mô tả hệ thống của bộ đo đã lạc hậu; chưa xác nhận được. Cần mở trang đó bằng trình duyệt để kiểm tra.",
        "No lone citizen got through a journey: the portal is broken at that step, or our profile is out of date. Open the page in a browser.",
    ),
    "shared_failure": (
        "Máy chủ mà nhiều hệ thống dùng chung (đăng nhập, thanh toán) gặp sự cố, hoặc bản mô tả hệ thống của bộ đo ở bước đó đã lạc hậu. Các lượt dừng ở đó không tính cho hệ thống; khung thời gian đo hoặc hành trình mất quá nhiều lượt không được chấm điểm và được đo lại nếu còn thời gian.",
        "A host that portals share (login, payment) failed, or our profile is out of date there. Visits that ended there are not counted against the portal; a window or a journey that lost too many is not scored, and is measured again if there is time.",
    ),
    "address_limit": (
        "Khi có tải, hệ thống từ chối địa chỉ của bộ đo nhưng ngay sau đó vẫn phục vụ khi chỉ có một người dùng: có thể là giới hạn theo địa chỉ. Khung thời gian đo này không được chấm điểm, chờ kết luận của hai người.",
        "Under load the portal refused our address, and right afterwards it served a lone citizen: perhaps a limit on the address. The window is not scored; two persons settle it.",
    ),
    "path_doubt": (
        "Gần như tất cả các hệ thống được đo cùng lúc đều chậm hơn nhiều so với mức thường gặp của chính hệ thống đó, hoặc cùng không kết nối được: có thể do đường truyền của bên đo. Khung thời gian đo này không được chấm điểm và được đo lại nếu còn thời gian.",
        "Nearly all portals that were measured at the same time were much slower than they usually are, or out of reach together: perhaps our own uplink. The window is not scored, and is measured again if there is time.",
    ),
    "slow_by_day": (
        "Trong giờ hành chính, thời gian của một lượt tra cứu dài hơn nhiều lần so với ban đêm; thông tin để tham khảo, không ảnh hưởng đến điểm.",
        "In office hours a search takes much longer than at night; this is a finding and changes no points.",
    ),
    "announced_maintenance": (
        "Bảo trì đã được thông báo đúng hạn; các khung thời gian đo trùng với thời gian bảo trì không được chấm điểm.",
        "Maintenance was announced in time; windows that overlap it are not scored.",
    ),
    "maintenance_announced_late": (
        "Bảo trì được thông báo muộn hơn thời hạn mà bộ tiêu chí quy định; các khung thời gian đo trùng với thời gian bảo trì vẫn được chấm điểm.",
        "Maintenance was announced later than the criteria set asks; windows that overlap it are scored like any other.",
    ),
    "maintenance_not_announced": (
        "Không có thông tin về thời điểm thông báo bảo trì; các khung thời gian đo trùng với thời gian bảo trì vẫn được chấm điểm.",
        "Nothing says when maintenance was announced; windows that overlap it are scored like any other.",
    ),
    "refused_under_load": (
        "Khi có tải, hệ thống từ chối một số lượt (tường lửa, captcha, trang bảo trì hoặc mã 429), và ngay sau đó cũng không phục vụ khi chỉ có một người dùng; các lượt bị từ chối tính là lỗi của hệ thống.",
        "Under load the portal refused visits (firewall, captcha, maintenance page or status 429), and right afterwards it did not serve a lone citizen either; they count as its failures.",
    ),
    "safety_stop": (
        "Dừng tải để bảo đảm an toàn cho hệ thống; các lượt còn lại tính là không được phục vụ.",
        "Load was stopped for the portal's safety; the visits left over count as not served.",
    ),
    "not_enough_windows": (
        "Số khung thời gian đo hợp lệ ít hơn yêu cầu của bộ tiêu chí.",
        "There are fewer valid windows than the criteria set asks.",
    ),
    "not_enough_steps": (
        "Số bước đo được ít hơn yêu cầu của bộ tiêu chí.",
        "There are fewer steps than the criteria set asks.",
    ),
}

CODES = frozenset(_TEXTS)


_AT_A_WALL = re.compile(r"[^,]*, blocked[,;]")
"""The detail of ``journey_unproven`` begins with the place and the outcome of the last lone walk."""

_JOURNEY_AT_A_WALL = (
    "Ở một hành trình, mọi lượt đơn lẻ đều gặp tường chắn: hệ thống từ chối hành trình này cả khi không có tải, hoặc quy tắc của bộ đo nhận nhầm một trang thường là tường chắn; chưa xác nhận được. Cần mở trang đó bằng trình duyệt để kiểm tra.",
    "On one journey the lone citizen meets a wall: the portal refuses this journey even without load, or our rule mistakes an ordinary page for a wall. Open the page in a browser.",
)


def text(reason: Reason, language: Language, detail: str | None = None) -> str:
    """The reason in a language, with its figures, or with ``detail`` in their place; KeyError for a code that is not known."""
    at_a_wall = reason.code == "journey_unproven" and _AT_A_WALL.match(reason.detail)
    words = (_JOURNEY_AT_A_WALL if at_a_wall else _TEXTS[reason.code])[0 if language == "vi" else 1]
    shown = reason.detail if detail is None else detail
    return f"{words} ({shown})" if shown else words
