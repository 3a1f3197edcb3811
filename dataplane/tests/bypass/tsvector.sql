-- trick: a lexeme
-- expect: masked
-- unlabelled: masked
-- decode: digits

select to_tsvector('simple', pan) from cards
