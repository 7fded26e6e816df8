for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const places = new Map([...body.rows].map((row, place) => [row, place]));
  const value = (row, column) => row.cells[column].dataset.v ?? "";
  heads.forEach((head, column) => {
    if (head.dataset.kind === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const usual = head.dataset.first ?? "descending";
      const order = head.ariaSort !== usual ? usual : usual === "ascending" ? "descending" : "ascending";
      const sign = order === "ascending" ? 1 : -1;
      const text = head.dataset.kind === "text";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const compare = (one, two) => {
        if (text) return sign * one.cells[column].innerText.localeCompare(two.cells[column].innerText, "vi");
        const [a, b] = [value(one, column), value(two, column)];
        return a === "" || b === "" ? (a === "") - (b === "") : sign * (a - b);
      };
      body.append(...[...body.rows].sort((one, two) => compare(one, two) || places.get(one) - places.get(two)));
    });
  });
}
