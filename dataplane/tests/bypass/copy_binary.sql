-- trick: COPY in binary
-- expect: masked
-- unlabelled: masked
-- decode: digits

copy (select pan, pan_number from cards) to stdout (format binary)
