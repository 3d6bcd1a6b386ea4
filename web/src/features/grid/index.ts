export { GridPage } from './GridPage';
