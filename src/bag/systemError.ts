export { isSystemError, reasonOf } from "../files/systemError.js";
