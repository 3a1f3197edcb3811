-- trick: a cursor WITH HOLD
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

declare h cursor with hold for select pan from cards

fetch all from h
