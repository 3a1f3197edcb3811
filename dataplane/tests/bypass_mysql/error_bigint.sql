-- trick: an error of a number too large
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- direct: fails

select pan_number * pan_number from cards where id = 1
