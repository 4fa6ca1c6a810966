const chosen = ["topic", "outcome"].map((name) => document.getElementById(name)).filter(Boolean);
const shown = document.getElementById("shown");
const articles = [...document.querySelectorAll("article")];
function filter() {
  for (const one of articles) one.hidden = chosen.some((select) => select.value && one.dataset[select.id] !== select.value);
  shown.textContent = `${articles.filter((one) => !one.hidden).length} shown`;
}
for (const select of chosen) select.addEventListener("change", filter);
