//! From PostgreSQL's lexemes to the parser's tokens. Words that PostgreSQL does not know as keywords are none for the
//! parser either; operators, of which facts need no more than that they compute something, become a few that it knows;
//! forms that the parser lacks become others with the same facts.
use super::builder::Builder;
use super::keywords::{self, Class};
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Result};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

/// Stands for the condition of `WHERE CURRENT OF cursor`. No parameter is called so.
pub(super) const CURRENT_OF: &str = "$current_of";

/// Types called by words that are keywords, but not the grammar's words for types; and the words before XML's values,
/// which may pass for types.
const KEYWORD_TYPES: &[&str] = &["content", "document", "json", "name", "path", "text", "xml"];

/// The tokens of one query.
pub(super) fn tokens(lexemes: &[Lexeme], facts: &mut Builder) -> Result<Vec<Token>> {
    let mut rewriter = Rewriter { lexemes, at: 0, out: Vec::with_capacity(lexemes.len() + 8), facts };
    while rewriter.at < lexemes.len() {
        rewriter.one()?;
    }
    Ok(rewriter.out)
}

struct Rewriter<'a> {
    lexemes: &'a [Lexeme],
    at: usize,
    out: Vec<Token>,
    facts: &'a mut Builder,
}

impl<'a> Rewriter<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at + ahead)
    }

    fn before(&self) -> Option<&'a Lexeme> {
        self.at.checked_sub(1).and_then(|at| self.lexemes.get(at))
    }

    fn one(&mut self) -> Result {
        let Some(lexeme) = self.peek(0) else { return Ok(()) };
        match lexeme {
            Lexeme::Word(word) => self.word(word),
            Lexeme::Quoted(name) => {
                if !self.typed_literal() {
                    self.push(quoted(name));
                }
                Ok(())
            }
            Lexeme::Text(text) => {
                self.push(Token::SingleQuotedString(text.clone()));
                Ok(())
            }
            Lexeme::Bits(bits) => {
                self.push(Token::HexStringLiteral(bits.clone()));
                Ok(())
            }
            Lexeme::Number(number) => {
                self.push(Token::Number(number.clone(), false));
                Ok(())
            }
            Lexeme::Parameter(name) => {
                self.push(Token::Placeholder(name.clone()));
                Ok(())
            }
            Lexeme::Sign(sign) => {
                self.push(match sign {
                    '(' => Token::LParen,
                    ')' => Token::RParen,
                    '[' => Token::LBracket,
                    ']' => Token::RBracket,
                    ',' => Token::Comma,
                    '.' => Token::Period,
                    ':' => Token::Colon,
                    _ => return Err(NotUnderstood),
                });
                Ok(())
            }
            Lexeme::Operator(operator) => self.operator(operator),
        }
    }

    fn push(&mut self, token: Token) {
        self.out.push(token);
        self.at += 1;
    }

    fn word(&mut self, word: &str) -> Result {
        let dot = |it: Option<&Lexeme>| it.is_some_and(|it| it.is_sign('.'));
        if self.typed_literal() {
            return Ok(());
        }
        // Beside a dot it is a name, whatever else it may mean.
        if dot(self.before()) || (dot(self.peek(1)) && keywords::class(word) != Some(Class::Reserved)) {
            self.push(quoted(word));
            return Ok(());
        }
        // Behind AS a reserved word is a label: no type is called so.
        let materialized = word == "not" && self.peek(1).is_some_and(|it| it.is("materialized"));
        if self.before().is_some_and(|it| it.is("as"))
            && keywords::class(word) == Some(Class::Reserved)
            && !materialized
        {
            self.push(quoted(word));
            return Ok(());
        }
        match word {
            "operator" if self.peek(1).is_some_and(|it| it.is_sign('(')) => return self.named_operator(),
            "where"
                if self.peek(1).is_some_and(|it| it.is("current"))
                    && self.peek(2).is_some_and(|it| it.is("of")) =>
            {
                // WHERE CURRENT OF cursor
                self.push(keyword("where"));
                self.push(Token::Placeholder(CURRENT_OF.to_owned()));
                self.at += 2;
                return Ok(());
            }
            // Its argument is passed as any other.
            "variadic" => {
                self.at += 1;
                return Ok(());
            }
            _ => {}
        }
        if keywords::class(word).is_some() {
            self.push(keyword(word));
        } else {
            self.push(Token::Word(Word {
                value: word.to_owned(),
                quote_style: None,
                keyword: Keyword::NoKeyword,
            }));
        }
        Ok(())
    }

    /// `type 'literal'`, `schema.type 'literal'` for a type that the grammar has no word for: `'literal'::type`.
    fn typed_literal(&mut self) -> bool {
        if self.before().is_some_and(|it| it.is_sign('.')) {
            return false;
        }
        let mut end = self.at;
        loop {
            let name = match self.lexemes.get(end) {
                Some(Lexeme::Quoted(_)) => true,
                // A keyword that is no operator, where an operand may begin.
                Some(Lexeme::Word(word)) => match keywords::class(word) {
                    None => true,
                    Some(Class::Unreserved | Class::ColumnName) => {
                        end > self.at || KEYWORD_TYPES.contains(&word.as_str()) && !self.is_infix()
                    }
                    Some(Class::Reserved | Class::TypeOrFunction) => end > self.at,
                },
                _ => false,
            };
            if !name {
                return false;
            }
            end += 1;
            match self.lexemes.get(end) {
                Some(Lexeme::Sign('.')) => end += 1,
                Some(Lexeme::Text(_)) => break,
                _ => return false,
            }
        }
        let Some(Lexeme::Text(text)) = self.lexemes.get(end) else { return false };
        self.out.push(Token::LParen);
        self.out.push(Token::SingleQuotedString(text.clone()));
        self.out.push(Token::DoubleColon);
        while self.at < end {
            match self.peek(0) {
                Some(Lexeme::Word(name) | Lexeme::Quoted(name)) => self.push(quoted(name)),
                _ => self.push(Token::Period),
            }
        }
        self.push(Token::RParen);
        true
    }

    /// `OPERATOR(schema.op)`: called by name, and so named.
    fn named_operator(&mut self) -> Result {
        let mut parts = Vec::new();
        let mut ahead = 2;
        while let (Some(Lexeme::Word(name) | Lexeme::Quoted(name)), Some(Lexeme::Sign('.'))) =
            (self.peek(ahead), self.peek(ahead + 1))
        {
            parts.push(name.clone());
            ahead += 2;
        }
        let (Some(Lexeme::Operator(operator)), Some(Lexeme::Sign(')'))) =
            (self.peek(ahead), self.peek(ahead + 1))
        else {
            return Err(NotUnderstood);
        };
        let name: Vec<String> =
            parts.iter().map(|part| names::part(part)).chain([operator.clone()]).collect();
        self.facts.function(name.join("."));
        let infix = self.is_infix();
        self.at += ahead + 1;
        self.computing(infix);
        Ok(())
    }

    /// Is what comes now behind an operand?
    fn is_infix(&self) -> bool {
        match self.before() {
            None | Some(Lexeme::Operator(_)) => false,
            Some(Lexeme::Sign(sign)) => matches!(sign, ')' | ']'),
            Some(Lexeme::Word(word)) => {
                let value = ["null", "true", "false", "default", "end"].contains(&word.as_str())
                    || word.starts_with("current_")
                    || word.starts_with("localtime")
                    || ["session_user", "system_user", "user"].contains(&word.as_str());
                value
                    || !matches!(keywords::class(word), Some(Class::Reserved | Class::TypeOrFunction))
                        && word != "between"
                        && word != "escape"
            }
            Some(_) => true,
        }
    }

    /// An operator that computes something.
    fn computing(&mut self, infix: bool) {
        if !infix {
            self.push(Token::Tilde);
        } else if self.peek(1).is_some_and(|it| it.is("any") || it.is("all") || it.is("some")) {
            self.push(Token::Lt);
        } else {
            self.push(Token::StringConcat);
        }
    }

    fn operator(&mut self, operator: &str) -> Result {
        let quantified = self.peek(1).is_some_and(|it| it.is("any") || it.is("all") || it.is("some"));
        let token = match operator {
            "*" | "+" | "-" | "/" | "%" if quantified && self.is_infix() => Token::Lt,
            "::" => Token::DoubleColon,
            ":=" => Token::Assignment,
            "=>" => Token::RArrow,
            "*" => Token::Mul,
            "+" => Token::Plus,
            "-" => Token::Minus,
            "/" => Token::Div,
            "%" if self.is_infix() => Token::Mod,
            "=" => Token::Eq,
            "<>" | "!=" => Token::Neq,
            "<" => Token::Lt,
            ">" => Token::Gt,
            "<=" => Token::LtEq,
            ">=" => Token::GtEq,
            ".." | "U&" => return Err(NotUnderstood),
            _ => {
                self.computing(self.is_infix());
                return Ok(());
            }
        };
        self.push(token);
        Ok(())
    }
}

/// A name that no keyword can be read into.
fn quoted(name: &str) -> Token {
    Token::Word(Word { value: name.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword })
}

fn keyword(word: &str) -> Token {
    Token::make_word(word, None)
}
