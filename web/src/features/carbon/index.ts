export { CarbonPage } from './CarbonPage';
