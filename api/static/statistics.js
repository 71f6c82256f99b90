// Draws the charts of the statistics. What they show stands in the tables too: without this nothing is missing.
(() => {
  "use strict";
  if (!window.echarts) return;
  const colours = ["#0b5cad", "#b3261e", "#13783c", "#8a4b00"];
  const shapes = ["circle", "rect", "triangle", "diamond"];
  const dashes = ["solid", "dashed", "dotted", [8, 3, 2, 3]];
  const text = { fontFamily: getComputedStyle(document.body).fontFamily, color: "#2c3946" };
  const narrow = window.matchMedia("(max-width: 767px)").matches;
  // Tips are drawn on the canvas: as HTML they would bring inline styles, which the content policy forbids.
  const tip = (more) => ({ renderMode: "richText", confine: true, ...more });
  const said = (value, unit) => (value === null || value === undefined ? "–" : value + (unit === "%" ? "%" : unit ? " " + unit : ""));
  // Minutes in the unit that suits their size.
  const length = (minutes, units) => {
    if (minutes === null || minutes === undefined) return "–";
    const [size, unit] = minutes < 60 ? [1, units[0]] : minutes < 1440 ? [60, units[1]] : [1440, units[2]];
    return Number((minutes / size).toPrecision(2)) + " " + unit;
  };
  const kinds = {
    lines: (given) => ({
      legend: { top: 0, textStyle: text },
      grid: { left: 8, right: 16, top: 44, bottom: 8, containLabel: true },
      tooltip: tip({ trigger: "axis", valueFormatter: (value) => said(value, given.unit) }),
      xAxis: { type: "category", data: given.labels, boundaryGap: false, axisLabel: text },
      yAxis: { type: "value", min: (seen) => Math.max(0, Math.floor((seen.min - 5) / 10) * 10), max: 100, axisLabel: { ...text, formatter: "{value}%" } },
      series: given.series.map((one, place) => ({
        type: "line", name: one.name, data: one.values, symbol: shapes[place % 4], symbolSize: 8,
        lineStyle: { type: dashes[place % 4], width: 2 }, connectNulls: false,
      })),
    }),
    bars: (given) => ({
      grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
      tooltip: tip({ trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value) => said(value, given.unit) }),
      xAxis: { type: "value", min: 0, axisLabel: { ...text, formatter: given.unit === "%" ? "{value}%" : "{value}" } },
      yAxis: { type: "category", inverse: true, data: given.labels, axisLabel: { ...text, width: narrow ? 90 : 180, overflow: "truncate" } },
      series: [{
        type: "bar", name: given.series[0].name, data: given.series[0].values, barMaxWidth: 18,
        label: { show: true, position: "right", ...text, formatter: (one) => said(one.value, given.unit) },
      }],
    }),
    log: (given) => ({
      legend: { top: 0, textStyle: text },
      grid: { left: 8, right: 24, top: 44, bottom: 8, containLabel: true },
      tooltip: tip({ trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value) => length(value, given.units) }),
      xAxis: { type: "log", min: 1, axisLabel: { ...text, formatter: (value) => length(value, given.units) } },
      yAxis: { type: "category", inverse: true, data: given.labels, axisLabel: text },
      series: given.series.map((one, place) => ({
        type: "bar", name: one.name, data: one.values, barMaxWidth: 14,
        itemStyle: place ? { color: "#fff", borderColor: colours[0], borderWidth: 2 } : { color: colours[0] },
      })),
    }),
    week: (given) => {
      const cells = given.series[0].values;
      const most = Math.max(5, ...cells.map((one) => one[2]));
      const shade = (count) => {
        if (count < 0) return "#e3e8ee";
        const part = 0.2 + 0.8 * (count / most);
        const mix = (light, dark) => Math.round(light + (dark - light) * part);
        return `rgb(${mix(252, 122)},${mix(228, 16)},${mix(224, 12)})`;
      };
      return {
        grid: { left: 8, right: 16, top: 8, bottom: 8, containLabel: true },
        tooltip: tip({
          formatter: (one) => `${given.labels[one.value[1]]} ${String(one.value[0]).padStart(2, "0")}:00  ${one.value[2] < 0 ? given.few : one.value[2]}`,
        }),
        xAxis: { type: "category", data: [...Array(24).keys()].map((hour) => String(hour).padStart(2, "0")), axisLabel: text, splitArea: { show: true } },
        yAxis: { type: "category", inverse: true, data: given.labels, axisLabel: text, splitArea: { show: true } },
        series: [{
          type: "scatter", symbol: "rect", data: cells,
          itemStyle: { color: (one) => shade(one.value[2]) },
        }],
      };
    },
  };
  const drawn = [];
  for (const place of document.querySelectorAll("[data-chart]")) {
    const given = JSON.parse(place.dataset.chart);
    place.hidden = false;
    if (given.kind === "bars") place.classList.toggle("plot-few", given.labels.length < 6);
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    const draw = () => {
      const option = { color: colours, textStyle: text, animation: false, ...kinds[given.kind](given) };
      if (given.kind === "week") {
        // The cells fill the plane between the axes, however wide the page is.
        const size = [Math.max(6, (chart.getWidth() - 70) / 24 - 2), Math.max(6, (chart.getHeight() - 50) / 7 - 2)];
        option.series[0].symbolSize = size;
      }
      chart.setOption(option, true);
    };
    draw();
    place.dataset.drawn = "yes";
    drawn.push(() => { chart.resize(); draw(); });
  }
  let waiting = 0;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => drawn.forEach((one) => one()), 150); });
})();
