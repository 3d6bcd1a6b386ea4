export { ConnectCard } from './ConnectCard';
export { Upload } from './Upload';
