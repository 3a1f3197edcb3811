-- trick: COPY (query) TO STDOUT
-- expect: masked
-- unlabelled: masked
-- decode: digits

copy (select pan, pan_number from cards) to stdout

copy cards to stdout
