// Every page works without this: it only adds govuk-frontend's own conveniences.
import { initAll } from './govuk-frontend.min.js'

initAll()
