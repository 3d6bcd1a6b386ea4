import { importFile } from '@/client';
import { unwrap } from '@/lib/problem';

export interface Upload {
  file: File;
  region: string;
}

/** Brings one six-month file of EIA's into the store; asking twice changes nothing. */
export function upload({ file, region }: Upload) {
  return unwrap(importFile({ body: { file, region } }));
}
