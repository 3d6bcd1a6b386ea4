const NAMES: Record<string, string> = {
  ours: 'Watthour',
  operator: 'Operator',
  seasonal_naive: 'Same hour last week',
};

/** What a model is called on the page. */
export function modelName(model: string): string {
  return NAMES[model] ?? model.replaceAll('_', ' ');
}
