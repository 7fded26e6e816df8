"""What citizens search for: subjects that people come to a public-service portal with (assumed, everyday words)."""

KEYWORDS = ("khai sinh", "kết hôn", "thường trú", "đất đai", "kinh doanh", "giấy phép", "xây dựng", "chứng thực")
