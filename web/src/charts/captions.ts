export const LINE_HEIGHT = 15;

/** Heights moved apart until each has its line, keeping their order and as near as can be to where they were. */
export function spread(heights: readonly number[], distance = LINE_HEIGHT): number[] {
  const order = heights.map((_, index) => index).toSorted((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  // Words that touch move together, about the middle of where they wished to be.
  const groups: { wishes: number[]; top: number }[] = [];
  for (const index of order) {
    const height = heights[index] ?? 0;
    groups.push({ wishes: [height], top: height });
    for (;;) {
      const [above, below] = groups.slice(-2);
      if (!above || !below || above.top + above.wishes.length * distance <= below.top) break;
      const wishes = [...above.wishes, ...below.wishes];
      const middle = wishes.reduce((sum, wish, rank) => sum + wish - rank * distance, 0) / wishes.length;
      groups.splice(-2, 2, { wishes, top: middle });
    }
  }
  const placed = groups.flatMap(({ wishes, top }) => wishes.map((_, rank) => top + rank * distance));
  return heights.map((_, index) => placed[order.indexOf(index)] ?? 0);
}
