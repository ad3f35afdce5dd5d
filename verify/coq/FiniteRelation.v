(* When a model meets only finitely many states: is every pair of a machine state and a model state that can be reached a good one?

   The checker follows every symbol from the start through all pairs, breadth first, and then looks once more at the table it
   has found: each pair's successors are in the table, with equal outputs.  Only that second look is proved right; how the
   table was found does not matter.  Pairs that satisfy [rest], a relation known to be kept, are not followed: a recogniser
   whose counters drift for ever once the word is dead is finite but for those. *)
From Verify Require Import SSM Languages.
Require Import ZArith NArith List Bool Lia FMapPositive.
Import ListNotations.
Open Scope Z_scope.

(* -- equality as programs ------------------------------------------------------------------------------------------- *)

Section Equal.
Context {A : Type} (same : A -> A -> bool) (same_right : forall a b, same a b = true -> a = b).
Fixpoint same_list (a b : list A) : bool :=
  match a, b with [], [] => true | x :: a, y :: b => same x y && same_list a b | _, _ => false end.
Lemma same_list_right a : forall b, same_list a b = true -> a = b.
Proof.
  induction a; destruct b; simpl; try discriminate; auto.
  intro H; apply andb_prop in H as [H1 H2]. apply same_right in H1; f_equal; auto.
Qed.
Definition same_option (a b : option A) : bool :=
  match a, b with None, None => true | Some x, Some y => same x y | _, _ => false end.
Lemma same_option_right a b : same_option a b = true -> a = b.
Proof. destruct a, b; simpl; try discriminate; auto. intro H; apply same_right in H; congruence. Qed.
End Equal.

Definition same_numbers : list Z -> list Z -> bool := same_list Z.eqb.
Definition same_states : list (list Z) -> list (list Z) -> bool := same_list same_numbers.
Definition same_outputs : list bool -> list bool -> bool := same_list Bool.eqb.
Lemma same_numbers_right a b : same_numbers a b = true -> a = b.
Proof. apply same_list_right. intros x y H. apply Z.eqb_eq; exact H. Qed.
Lemma same_states_right a b : same_states a b = true -> a = b.
Proof. apply same_list_right. exact same_numbers_right. Qed.
Lemma same_outputs_right a b : same_outputs a b = true -> a = b.
Proof. apply same_list_right. intros x y H. apply eqb_prop; exact H. Qed.

(* what a table needs of a machine's states: equality, and a number by which they are looked up *)
Record lookup (M : machine) := Lookup {
  same : state M -> state M -> bool; same_right : forall a b, same a b = true -> a = b; number : state M -> positive }.
Arguments same {_}. Arguments same_right {_}. Arguments number {_}.

Definition number_of_list (a : list nat) : positive := fold_left (fun k x => Pos.of_succ_nat x + 7 * k)%positive a 1%positive.
Lemma same_nats_right a b : same_list Nat.eqb a b = true -> a = b.
Proof. apply same_list_right. intros x y H. apply Nat.eqb_eq; exact H. Qed.
Definition dyck_lookup (k h : nat) : lookup (dyck k h) := Lookup (dyck k h) (same_list Nat.eqb) same_nats_right number_of_list.

Lemma same_nat_right a b : Nat.eqb a b = true -> a = b.
Proof. apply Nat.eqb_eq. Qed.
Definition dfa_lookup table accepting initial : lookup (dfa table accepting initial) :=
  Lookup (dfa table accepting initial) Nat.eqb same_nat_right Pos.of_succ_nat.

Definition flip_number (s : flip_state) : positive :=
  match s with
  | (None, None) => 1 | (None, Some false) => 2 | (None, Some true) => 3
  | (Some W, _) => 4 | (Some R, _) => 5 | (Some I, _) => 6
  end%positive.
Definition flip_equal (a b : flip_state) : {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.
Definition flip_same (a b : flip_state) : bool := if flip_equal a b then true else false.
Lemma flip_same_right a b : flip_same a b = true -> a = b.
Proof. unfold flip_same. destruct (flip_equal a b); [auto|discriminate]. Qed.
Definition flip_lookup : lookup flip_flop := Lookup flip_flop flip_same flip_same_right flip_number.

Definition recogniser_lookup {M} (L : lookup M) : lookup (recogniser M) :=
  Lookup (recogniser M) (same_option (same L)) (same_option_right (same L) (same_right L))
    (fun q => match q with Some q => Pos.succ (number L q) | None => 1%positive end).

(* -- the checker ---------------------------------------------------------------------------------------------------- *)

Section Checker.
Variables (m : model) (M : machine) (n : nat) (L : lookup M).

(* pairs that need not be followed, and why *)
Variables (rest : state M -> list (list Z) -> Prop) (in_rest : state M -> list (list Z) -> bool).
Hypothesis in_rest_right : forall q s, in_rest q s = true -> rest q s.
Hypothesis rest_kept : forall q s a q', rest q s -> (a < n)%nat -> next q a = Some q' ->
  rest q' (fst (step m s a)) /\ snd (step m s a) = answer q'.

Definition pair : Type := state M * list (list Z).
Definition table : Type := PositiveMap.t (list pair).

Definition hash (x : pair) : positive :=
  Z.to_pos (1 + fold_left (fun k z => (k * 31 + z) mod 1048573) (concat (snd x)) (Zpos (number L (fst x)))).
Definition bucket (t : table) (x : pair) : list pair := match PositiveMap.find (hash x) t with Some b => b | None => [] end.
Definition same_pair (x y : pair) : bool := same L (fst x) (fst y) && same_states (snd x) (snd y).
Definition known (t : table) (x : pair) : bool := existsb (same_pair x) (bucket t x) || in_rest (fst x) (snd x).

(* the relation that a table stands for *)
Definition holds (t : table) (q : state M) (s : list (list Z)) : Prop :=
  (exists k b, PositiveMap.find k t = Some b /\ In (q, s) b) \/ rest q s.

Definition follow (t : table) (x : pair) (a : nat) : bool :=
  match next (fst x) a with
  | None => true
  | Some q => let (s, outputs) := step m (snd x) a in known t (q, s) && same_outputs outputs (answer q)
  end.
Definition closed (t : table) : bool :=
  known t (first, fst (begin m)) && same_outputs (snd (begin m)) (answer (m := M) first)
  && forallb (fun kb => forallb (fun x => forallb (follow t x) (seq 0 n)) (snd kb)) (PositiveMap.elements t).

Lemma known_holds t q s : known t (q, s) = true -> holds t q s.
Proof.
  unfold known, bucket; intro H; apply orb_prop in H as [H|H]; [left|right; apply in_rest_right; exact H].
  apply existsb_exists in H as [[q' s'] [H1 H2]].
  apply andb_prop in H2 as [H2 H3]; apply same_right in H2; apply same_states_right in H3; simpl in *; subst.
  destruct (PositiveMap.find (hash (q', s')) t) as [b|] eqn:E; [|contradiction]. exists (hash (q', s')), b; auto.
Qed.

Theorem closed_computes t : closed t = true -> computes m M n.
Proof.
  intro H; apply andb_prop in H as [H kept]; apply andb_prop in H as [H0 H1].
  apply relation_computes with (R := holds t); [apply known_holds; assumption|apply same_outputs_right; assumption|].
  intros q s a q' [[k [b [F I]]]|X] A N.
  - rewrite forallb_forall in kept.
    specialize (kept _ (PositiveMap.elements_correct _ _ F)); simpl in kept.
    rewrite forallb_forall in kept; specialize (kept _ I). rewrite forallb_forall in kept.
    specialize (kept a ltac:(apply in_seq; lia)). unfold follow in kept; simpl in kept; rewrite N in kept.
    destruct (step m s a) as [s' outputs] eqn:E; simpl. apply andb_prop in kept as [K1 K2].
    split; [apply known_holds; assumption|apply same_outputs_right; assumption].
  - destruct (rest_kept q s a q' X A N) as [Y E]. split; [right; exact Y|exact E].
Qed.

(* Finding the table, level by level, with as many levels as [fuel]; nothing is found once an output is wrong, or after too
   many pairs, so that a wrong model is refused soon. *)
Definition insert (t : table) (x : pair) : table := PositiveMap.add (hash x) (x :: bucket t x) t.
Definition spread (x : pair) (found : option (table * list pair * N)) : option (table * list pair * N) :=
  fold_left (fun found a =>
    match found, next (fst x) a with
    | Some (t, new, room), Some q =>
        let (s, outputs) := step m (snd x) a in
        if same_outputs outputs (answer q) && negb (N.eqb room 0) then
          if known t (q, s) then found else Some (insert t (q, s), (q, s) :: new, N.pred room)
        else None
    | _, _ => found
    end) (seq 0 n) found.
Fixpoint search (fuel : nat) (t : table) (todo : list pair) (room : N) : table :=
  match fuel, todo with
  | S fuel, _ :: _ =>
      match fold_left (fun found x => spread x found) todo (Some (t, [], room)) with
      | Some (t, new, room) => search fuel t new room
      | None => PositiveMap.empty _
      end
  | _, _ => t
  end.
Definition most_pairs : N := 100000.
Definition found (fuel : nat) : table :=
  let x := (first, fst (begin m)) in search fuel (insert (PositiveMap.empty _) x) [x] most_pairs.
End Checker.

Definition nothing {M : machine} (q : state M) (s : list (list Z)) : bool := false.
Definition check (m : model) (M : machine) (n : nat) (L : lookup M) (fuel : nat) : bool :=
  closed m M n L nothing (found m M n L nothing fuel).

Theorem check_computes m M n L fuel : check m M n L fuel = true -> computes m M n.
Proof. apply closed_computes with (rest := fun _ _ => False); [discriminate|contradiction]. Qed.

Print Assumptions check_computes.
