export { TrainNow } from './TrainNow';
