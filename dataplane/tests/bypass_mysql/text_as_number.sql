-- trick: text read as a number
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan + 0, pan * 1, pan div 1 from cards
