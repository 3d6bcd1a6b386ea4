/** The one place that runs ECharts; loaded when the first chart is shown. */
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { type PointerEvent, type ReactElement, useEffect, useRef } from 'react';

import type { ChartOption, Cursor } from '@/charts/types';

use([CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, SVGRenderer]);

interface ChartProps {
  option: ChartOption;
  cursor: Cursor | null;
  /** Where along the horizontal axis the pointer is. */
  onPoint: (x: number) => void;
}

function drawCursor(chart: EChartsType, cursor: Cursor | null): void {
  chart.setOption({
    series: [
      {
        id: 'cursor-line',
        type: 'line',
        silent: true,
        data: [],
        markLine: {
          silent: true,
          symbol: 'none',
          animation: false,
          label: { show: false },
          lineStyle: { color: cursor?.lineColor ?? 'transparent', width: 1, type: 'solid' },
          data: cursor ? [{ xAxis: cursor.x }] : [],
        },
      },
      {
        id: 'cursor-points',
        type: 'scatter',
        silent: true,
        z: 8,
        symbolSize: 8,
        data: (cursor?.points ?? []).map(({ y, color }) => ({
          value: [cursor?.x, y],
          itemStyle: { color, borderColor: cursor?.edgeColor, borderWidth: 1.5 },
        })),
      },
    ],
  });
}

export default function Chart({ option, cursor, onPoint }: ChartProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current, null, { renderer: 'svg' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true });
  }, [option]);

  useEffect(() => {
    if (chart.current) drawCursor(chart.current, cursor);
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- a new option wipes the cursor off
  }, [option, cursor]);

  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left } = event.currentTarget.getBoundingClientRect();
    const x = chart.current?.convertFromPixel({ xAxisIndex: 0 }, event.clientX - left);
    if (typeof x === 'number' && Number.isFinite(x)) onPoint(x);
  };

  return <div ref={box} className="size-full touch-pan-y" onPointerMove={point} onPointerDown={point} />;
}
