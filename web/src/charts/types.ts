import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

export type ChartOption = ComposeOption<CustomSeriesOption | LineSeriesOption | ScatterSeriesOption | GridComponentOption>;

/** The interval under the pointer or the arrow keys. */
export interface Cursor {
  x: number;
  lineColor: string;
  edgeColor: string;
  points: readonly { y: number; color: string }[];
}
