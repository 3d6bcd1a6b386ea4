export { DevicePage } from './DevicePage';
export { DevicesPage } from './DevicesPage';
