<?php
// PHP's built-in server: its own habits with fields, sessions, lengths and compression.
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
$page = "<!doctype html>" . str_repeat("<p>Thanh toán phí, lệ phí trực tuyến</p>", 120);
switch ($path) {
    case "/": echo $page; break;
    case "/length": header("Content-Length: " . strlen($page)); echo $page; break;
    case "/session": session_id("0123456789abcdef0123456789"); session_start(); $_SESSION["a"] = 1; echo "session"; break;
    case "/cookies": setcookie("a", "1"); setcookie("b", "một hai", time() + 3600, "/form", "", true, true); echo "cookies"; break;
    case "/json": header("Content-Type: application/json"); echo json_encode(["tên" => "Nguyễn", "phí" => 50000]); break;
    case "/redirect": header("Location: /length"); break;
    case "/gone": http_response_code(410); echo "gone"; break;
    case "/teapot": header("HTTP/1.1 418 I'm a teapot"); echo "tea"; break;
    case "/gzip": ini_set("zlib.output_compression", "1"); echo $page; break;
    case "/flush": for ($n = 0; $n < 10; $n++) { echo "<p>$n</p>"; flush(); } break;
    case "/nothing": http_response_code(204); break;
    case "/warning": header("X-A: 1"); header("X-A: 2", false); echo "fields"; break;
    case "/error": http_response_code(500); echo "error"; break;
    case "/download": header("Content-Type: application/octet-stream"); header('Content-Disposition: attachment; filename="hồ sơ.bin"'); echo random_bytes(0) . str_repeat("\x00\xff", 500); break;
    case "/static.txt": return false;
    default: return false;
}
