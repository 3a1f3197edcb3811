-- trick: letters put in by an expression
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select regexp_replace(pan, '(....)', '\\1x') from cards
