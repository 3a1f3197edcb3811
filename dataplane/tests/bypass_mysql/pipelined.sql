-- trick: several sent before the first is answered
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: pipelined

select pan from cards

select pan_number from cards
