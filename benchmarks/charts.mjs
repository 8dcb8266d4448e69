import { createRequire } from 'node:module';

const COLORS = {
  ours: '#0b6e4f',
  'ours int8': '#7bd3b4',
  'ort-web': '#c1440e',
  'ort-web int8': '#e79a74',
  'ort-node': '#27548a',
  'ort-node int8': '#8fb3d9',
  'tfjs-wasm': '#e0a100',
  'tfjs-cpu': '#f0d487',
  'brain.js': '#8b6fb0',
  plain: '#9a9a9a',
};

/**
 * An SVG of how many times as long as ours each contestant takes, shape by shape, on a logarithmic axis.
 * @param {object[]} shapes as measureShape gives them
 * @returns {string | undefined} nothing if echarts is not installed: it comes with the peers
 */
export function ratioChart(title, shapes) {
  const echarts = load();
  if (!echarts) return undefined;
  const names = Object.keys(COLORS).filter(
    (name) => name !== 'ours' && shapes.some(({ results }) => results.some((r) => r.name === name && r.ratio)),
  );
  const height = 110 + shapes.length * (names.length * 11 + 14);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 860, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: {
      text: title,
      subtext: 'times as long as lstm-wasm f32; right of 1: lstm-wasm is faster',
      left: 12,
      top: 6,
    },
    legend: { top: 50, left: 12, itemWidth: 12, itemHeight: 8 },
    grid: { left: 12, right: 60, top: 84, bottom: 16, containLabel: true },
    xAxis: { type: 'log', min: (range) => Math.min(0.1, range.min), axisLabel: { formatter: (value) => `${value}×` } },
    yAxis: { type: 'category', inverse: true, data: shapes.map(({ name }) => name) },
    series: names.map((name) => ({
      name,
      type: 'bar',
      barWidth: 9,
      barGap: '20%',
      itemStyle: { color: COLORS[name] },
      label: { show: true, position: 'right', fontSize: 9, formatter: ({ value }) => label(value) },
      data: shapes.map(({ results }) => results.find((result) => result.name === name)?.ratio ?? '-'),
      markLine: {
        silent: true,
        symbol: 'none',
        label: { show: false },
        data: [{ xAxis: 1 }],
        lineStyle: { color: '#000' },
      },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const label = (value) => (typeof value === 'number' ? `${Number(value.toPrecision(2))}` : '');

function load() {
  try {
    return createRequire(new URL('peers/', import.meta.url))('echarts');
  } catch {
    return undefined;
  }
}
